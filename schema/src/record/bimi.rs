//! The logo of a domain (draft-brand-indicators-for-message-identification).

use std::fmt;

/// A BIMI record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bimi {
    /// The logo: an `https:` address of an SVG.
    pub logo: Box<str>,
    /// The mark certificate: an `https:` address of a PEM.
    pub certificate: Option<Box<str>>,
}

impl Bimi {
    /// What every such record begins with.
    pub const VERSION: &str = "v=BIMI1";
}

impl fmt::Display for Bimi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; l={}", Bimi::VERSION, self.logo)?;
        match &self.certificate {
            Some(certificate) => write!(f, "; a={certificate}"),
            None => Ok(()),
        }
    }
}
