pub mod command;
pub mod data;
pub mod sasl;
pub mod server;
pub mod wire;
