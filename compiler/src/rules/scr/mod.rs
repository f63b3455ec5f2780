//! Lists of clients: what their weights come to. The runtime does not serve them yet.

pub mod threshold_out_of_reach;
