//! Who somebody is: passwords of users who log in, and the credentials that the site names.
//!
//! Everything secret comes through [`Credentials`], from one folder, at the moment it is used: so a changed file needs no
//! restart, and no secret outlives its use.

mod credentials;
mod passwd;

pub use credentials::{CredentialError, Credentials};
pub use passwd::{AuthError, verify};
