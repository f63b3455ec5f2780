//! A message as it comes in: its header, and the signatures in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postern_fuzz::message::is_judged(octets));
