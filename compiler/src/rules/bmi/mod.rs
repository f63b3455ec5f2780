//! BIMI: logos that nobody sees.

pub mod without_dmarc;
