//! The changes that `postern up` makes to a site so that it can be tried out: high ports on the loopback interface, and every
//! file below the state folder.

use postern_schema::site::{ListenerKind, Site, TransportKind};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

/// The port of the first listener of each kind; a second one gets the next that is free.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LoopbackPorts {
    /// Of kind `mx`.
    pub mx: u16,
    /// Of kind `submission`.
    pub submission: u16,
    /// Of kind `submissions`.
    pub submissions: u16,
    /// Of kind `reinject`.
    pub reinject: u16,
    /// Of kind `lmtp`, on whatever it listens elsewhere.
    pub lmtp: u16,
    /// Of kind `web`.
    pub web: u16,
}

impl Default for LoopbackPorts {
    fn default() -> LoopbackPorts {
        LoopbackPorts { mx: 2525, submission: 2587, submissions: 2465, reinject: 2526, lmtp: 2424, web: 2443 }
    }
}

impl LoopbackPorts {
    /// Moves every listener and every Maildir of the site. A port of 0 stays 0: the system chooses.
    pub(crate) fn apply(self, site: &mut Site) {
        let mut taken = HashSet::new();
        for listener in &mut site.listeners {
            listener.addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
            listener.socket = None;
            let first = match listener.kind {
                ListenerKind::Mx => self.mx,
                ListenerKind::Submission => self.submission,
                ListenerKind::Submissions => self.submissions,
                ListenerKind::Reinject => self.reinject,
                ListenerKind::Lmtp => self.lmtp,
            };
            listener.port = (first..=u16::MAX).find(|port| *port == 0 || taken.insert(*port)).unwrap_or_default();
        }
        if let Some(web) = &mut site.web {
            web.addresses = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
            web.port = (self.web..=u16::MAX).find(|port| *port == 0 || taken.insert(*port)).unwrap_or_default();
        }
        // No authority can ask here whether a name is ours, and none is troubled because somebody tries a site out.
        if site.tls.acme.take().is_some() {
            site.tls.self_signed = true;
        }
        for transport in &mut site.transports {
            if let TransportKind::Maildir { path } = &mut transport.kind {
                *path = path.trim_start_matches('/').into();
            }
        }
    }
}
