//! Dialogues, each replayed with its input split in every way; one test for each thing that must be right.

mod content;
mod envelope;
mod login;
mod player;
mod session;
