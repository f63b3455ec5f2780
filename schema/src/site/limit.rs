//! What one client may do at once, or in a time.

use super::{Origin, Rate};

/// One limit for clients that nothing is known of: neither logged in, nor in a network that may relay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientLimit {
    /// What is limited.
    pub what: Limited,
    /// What counts as one client.
    pub per: LimitPer,
    /// Where it was said.
    pub origin: Origin,
}

/// What is limited.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Limited {
    /// Connections at once (`smtpd_client_connection_count_limit`).
    Connections(u32),
    /// Connections in a time (`smtpd_client_connection_rate_limit`).
    NewConnections(Rate),
    /// MAIL commands in a time (`smtpd_client_message_rate_limit`).
    Messages(Rate),
}

/// What counts as one client.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum LimitPer {
    /// An IPv4 address, and of IPv6 a /64, which is what one host has.
    Ip,
    /// A /24 or a /64.
    Network,
}

impl LimitPer {
    /// The word of the site language.
    pub fn as_str(self) -> &'static str {
        match self {
            LimitPer::Ip => "ip",
            LimitPer::Network => "network",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<LimitPer> {
        [LimitPer::Ip, LimitPer::Network].into_iter().find(|per| per.as_str() == word)
    }
}

impl ClientLimit {
    /// What holds where a site names no limit of connections: Postfix's default.
    pub const CONNECTIONS: ClientLimit =
        ClientLimit { what: Limited::Connections(50), per: LimitPer::Ip, origin: Origin::DEFAULT };
}
