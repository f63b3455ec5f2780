//! KDL text made readable without a parser: tokens and the outline of statements. The `kdl` crate then sees only what these
//! have left in order.

mod outline;
mod token;

pub use outline::{Block, DEPTH_LIMIT, Entry, Fault, Outline, Statement, outline};
pub use token::{Ending, TextStyle, Token, TokenKind, is_illegal, is_newline, is_space, tokens, verbatim};
