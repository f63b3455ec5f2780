//! What is asked of strangers: what the weights and answers of lists come to, and where mail is set aside.

pub mod dead_code;
pub mod list_twice;
pub mod quarantine_elsewhere;
pub mod threshold_out_of_reach;
pub mod wrong_sign;
