//! Routes and relays: mail that has no way, a way that no mail takes, and credentials that strangers read.

pub mod foreign_source;
pub mod no_route;
pub mod one_family;
pub mod own_backup;
pub mod own_domain_route;
pub mod password_exposed;
pub mod plaintext;
pub mod port_25_login;
pub mod relay_is_self;
pub mod rest_without_route;
pub mod route_from_nobody;
pub mod same_relay;
pub mod shadowed_route;
pub mod short_relay_name;
pub mod verify_by_address;
pub mod weaker_route;
