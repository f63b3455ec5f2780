//! Whatever claims to be a login.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| postern_fuzz::logins::is_a_login_or_is_refused(octets));
