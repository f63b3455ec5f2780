//! How much of us one client gets: connections at once, and connections and messages in a time, as the site limits them (`limit` in
//! `screen`).
//!
//! Whoever is in a network that may relay, or is spared by name, is not counted against, and whoever is logged in has a limit of their
//! own (`limit` in `users`). What is counted here is lost at a restart, and bounded: open connections by how many sessions there may be,
//! what happens in a time by [`Levels`].

use super::levels::{Levels, client_key, network_key};
use crate::screen;
use ipnet::IpNet;
use postern_schema::site::{Check, ClientLimit, LimitPer, Limited, Rate, Site};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

type Key = (LimitPer, IpNet);

/// See the module.
#[derive(Default)]
pub struct Admission {
    open: Arc<Mutex<HashMap<Key, u32>>>,
    /// By the place of each limit in the site.
    rates: Mutex<Levels<(usize, IpNet)>>,
    /// Of users, by their stores and names.
    users: Mutex<Levels<(Box<str>, Box<str>)>>,
}

/// One connection that counts until this is dropped.
pub struct ConnectionGuard {
    open: Arc<Mutex<HashMap<Key, u32>>>,
    keys: [Key; 2],
}

impl Admission {
    /// Counts a connection in. `spared`: no limit is for it.
    ///
    /// # Errors
    /// The limit that it would break.
    pub fn connect<'a>(
        &self, address: IpAddr, site: &'a Site, spared: bool, now: Instant,
    ) -> Result<ConnectionGuard, &'a ClientLimit> {
        let keys = [LimitPer::Ip, LimitPer::Network].map(|per| (per, key(per, address)));
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !spared && !is_spared(address, site) {
            let is_full = |limit: &&ClientLimit| match limit.what {
                Limited::Connections(most) => open.get(&(limit.per, key(limit.per, address))).is_some_and(|found| *found >= most),
                Limited::NewConnections(_) | Limited::Messages(_) => false,
            };
            if let Some(limit) = site.screen.limits.iter().find(is_full) {
                return Err(limit);
            }
            self.count(address, site, now, |what| match what {
                Limited::NewConnections(rate) => Some(rate),
                Limited::Connections(_) | Limited::Messages(_) => None,
            })?;
        }
        keys.iter().for_each(|key| *open.entry(*key).or_insert(0) += 1);
        Ok(ConnectionGuard { open: self.open.clone(), keys })
    }

    /// Counts a message of a user of a store who may send so many; `false`: it is one too many, and not counted.
    pub fn user_message(&self, store: &str, user: &str, most: Rate, now: Instant) -> bool {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        let fade = most.per.div_f64(most.count as f64);
        let key = (store.into(), user.into());
        let fits = users.level(&key, fade, now) + 1.0 <= most.count as f64;
        if fits {
            users.add(key, fade, now);
        }
        fits
    }

    /// Counts a message of somebody who has not logged in.
    ///
    /// # Errors
    /// The limit that it would break; it is not counted then.
    pub fn message<'a>(&self, address: IpAddr, site: &'a Site, now: Instant) -> Result<(), &'a ClientLimit> {
        if is_spared(address, site) {
            return Ok(());
        }
        self.count(address, site, now, |what| match what {
            Limited::Messages(rate) => Some(rate),
            Limited::Connections(_) | Limited::NewConnections(_) => None,
        })
    }

    /// Counts something that those limits are about that `rate_of` knows; it is not counted if one of them would break.
    fn count<'a>(
        &self, address: IpAddr, site: &'a Site, now: Instant, rate_of: impl Fn(Limited) -> Option<Rate>,
    ) -> Result<(), &'a ClientLimit> {
        let limits = site.screen.limits.iter().enumerate().filter_map(|(place, limit)| {
            let rate = rate_of(limit.what)?;
            // Each fades in its share of the time, so a full bucket empties in all of it.
            let fade = rate.per.div_f64(rate.count as f64);
            Some(((place, key(limit.per, address)), fade, rate.count as f64, limit))
        });
        let limits: Vec<_> = limits.collect();
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, _, limit)) = limits.iter().find(|(key, fade, most, _)| rates.level(key, *fade, now) + 1.0 > *most) {
            return Err(limit);
        }
        for (key, fade, _, _) in limits {
            rates.add(key, fade, now);
        }
        Ok(())
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for key in &self.keys {
            if let Some(count) = open.get_mut(key) {
                *count -= 1;
                if *count == 0 {
                    open.remove(key);
                }
            }
        }
    }
}

/// Whether the limits are not for this client (`smtpd_client_event_limit_exceptions`).
fn is_spared(address: IpAddr, site: &Site) -> bool {
    screen::is_spared(address, Check::Limit, site)
}

fn key(per: LimitPer, address: IpAddr) -> IpNet {
    match per {
        LimitPer::Ip => client_key(address),
        LimitPer::Network => network_key(address),
    }
}
