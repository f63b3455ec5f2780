//! A session of a client, from its first octet.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postern_fuzz::server::holds_a_session(octets));
