//! A site in KDL.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postern_fuzz::compiles_or_is_refused("site.kdl", octets));
