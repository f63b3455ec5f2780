//! The language server: `postern lsp`, which an editor starts and talks to over its standard streams (LSP 3.17).
//!
//! One loop reads a message, answers it, and reads the next ([`server`]); one thread beside it compiles what is typed
//! ([`diagnostics`]). What a place in a text is, is read from its outline ([`cursor`]); what may stand there and what it means
//! comes from the grammar; where the names of a site are written, from [`names`]. One file for each thing that an editor asks.
//!
//! Whatever a client sends, the answer is a result, an error or nothing, and the next message is read.

mod actions;
mod completion;
mod cursor;
mod definition;
mod diagnostics;
mod formatting;
mod hover;
mod names;
mod position;
mod references;
mod rename;
mod scene;
mod server;
mod symbols;
mod transport;
mod workspace;

pub use server::{Goodbye, serve};
