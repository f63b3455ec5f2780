//! Which parts of a site hold an error already. A rule that concludes something from what is *not* there ("no route leads
//! there", "nothing uses this relay") would be wrong about such a part, and one mistake would be reported twice.

/// A part of a site, for [`Gaps`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// `site`.
    Host,
    /// `tls`.
    Tls,
    /// `listen`.
    Listeners,
    /// `network`.
    Networks,
    /// `users`.
    Users,
    /// `transport`.
    Transports,
    /// `relay`.
    Relays,
    /// `route` and `destination`.
    Routes,
    /// `domain` and `parked`.
    Domains,
    /// `screen`, `arc`, `queue`, `limits`, `log`, `reports`.
    Policy,
    /// `rewrite`, `masquerade`, `archive`, `srs`.
    Rewriting,
    /// `test`.
    Tests,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 12] = [
        Part::Host,
        Part::Tls,
        Part::Listeners,
        Part::Networks,
        Part::Users,
        Part::Transports,
        Part::Relays,
        Part::Routes,
        Part::Domains,
        Part::Policy,
        Part::Rewriting,
        Part::Tests,
    ];

    /// The part that a top-level node of that name belongs to.
    pub fn of_node(name: &str) -> Option<Part> {
        Some(match name {
            "site" => Part::Host,
            "tls" => Part::Tls,
            "listen" => Part::Listeners,
            "network" => Part::Networks,
            "users" => Part::Users,
            "transport" => Part::Transports,
            "relay" => Part::Relays,
            "route" | "routes" | "destination" => Part::Routes,
            "domain" | "parked" | "mailboxes" | "aliases" => Part::Domains,
            "screen" | "arc" | "queue" | "limits" | "log" | "reports" => Part::Policy,
            "rewrite" | "masquerade" | "archive" | "srs" => Part::Rewriting,
            "test" => Part::Tests,
            _ => return None,
        })
    }
}

/// The set of parts that hold an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Gaps(u16);

impl Gaps {
    /// Every part: nothing may be concluded from what is absent.
    pub fn everywhere() -> Gaps {
        Gaps(u16::MAX)
    }

    /// Notes an error in this part.
    pub fn note(&mut self, part: Part) {
        self.0 |= 1 << part as u16;
    }

    /// Whether the part holds an error.
    pub fn holds(self, part: Part) -> bool {
        self.0 & (1 << part as u16) != 0
    }

    /// Whether there is no error at all.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
