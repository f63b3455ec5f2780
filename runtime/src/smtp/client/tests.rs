//! Dialogues with a written peer; one test for each thing that must be right.

mod player;
mod session;
mod transaction;
