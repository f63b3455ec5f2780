//! Routes and relays: mail that has no way, a way that no mail takes, and credentials that strangers read.

pub mod no_route;
pub mod password_exposed;
pub mod port_25_login;
pub mod relay_is_self;
pub mod shadowed_route;
