//! Domains and addresses: what is said twice, what leads nowhere, what leads in a circle.

pub mod address_twice;
pub mod alias_loop;
pub mod delimiter_hides;
pub mod domain_twice;
pub mod expansion_too_large;
pub mod target_missing;
