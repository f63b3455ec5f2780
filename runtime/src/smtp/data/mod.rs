//! Message content on the wire: [`Decoder`] for what comes in by DATA (RFC 5321 4.5.2) or BDAT (RFC 3030), [`Encoder`] for what
//! goes out by DATA, [`Chunks`] for what goes out by BDAT.
//!
//! What a decoder lets through has CRLF line ends and no other CR, LF or NUL, and ends with a line end. Nothing but CRLF `.`
//! CRLF ends DATA; an encoder never lets a bare CR or LF out. So no two hosts can disagree with us on where a message ends. The one
//! exception is what a client sends as binary by BDAT: it is text again once it has gone through [`TextForm`].

mod binary;
mod chunks;
mod decoder;
mod encoder;
mod header;

pub use binary::TextForm;
pub use chunks::Chunks;
pub use decoder::{Decoder, Framing, Message, TEXT_LINE_MAX_OCTETS};
pub use encoder::Encoder;
pub use header::HeaderFacts;

#[cfg(test)]
mod tests;
