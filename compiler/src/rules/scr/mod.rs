//! Lists of clients: what their weights and answers come to.

pub mod dead_code;
pub mod list_twice;
pub mod threshold_out_of_reach;
pub mod wrong_sign;
