//! Limits and times that contradict each other, or what other hosts rely on.

pub mod bounce_lifetime;
pub mod cap_below_retry;
pub mod eager_retry;
pub mod few_hops;
pub mod few_recipients;
pub mod greylist_forgets;
pub mod greylist_outlasts_retry;
pub mod late_warning;
pub mod long_lifetime;
pub mod many_attempts;
pub mod many_sessions;
pub mod one_client_fills;
pub mod quota_below_message;
pub mod short_lifetime;
pub mod small_message;
