pub mod command;
pub mod data;
pub mod sasl;
pub mod wire;
