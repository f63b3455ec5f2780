//! Who somebody is: passwords of users who log in, and the credentials that the site names.
//!
//! Everything secret comes through [`Credentials`], from one folder, at the moment it is used: so a changed file needs no
//! restart, and no secret outlives its use.

mod binding;
mod credentials;
mod dovecot;
mod guesses;
pub mod ldap;
mod login;
mod passwd;
mod scram;
mod srs;
pub mod token;

pub use binding::{ChannelBindings, end_point};
pub use credentials::{CredentialError, Credentials, Stamp};
pub use dovecot::{Dovecot, DovecotError};
pub use guesses::Guesses;
pub use login::{Answer, Exchange, LoggedIn, Login, Outside, mechanisms};
pub use passwd::{AuthError, ScramFiles};
pub use srs::{SrsError, SrsKeys};
