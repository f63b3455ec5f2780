//! SPF as a receiver evaluates it (RFC 7208 4), with its lookups counted: whether the record that is published today lets an
//! address send.

use super::client::{Answer, Client, Silence};
use postern_schema::record::{RecordKind, Spf};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Terms that ask DNS, and the most of them (RFC 7208 4.6.4).
pub const LOOKUP_LIMIT: usize = Spf::LOOKUP_LIMIT;
/// Answers that hold nothing, and the most of them (RFC 7208 4.6.4).
const VOID_LIMIT: usize = 2;
/// Hosts of one `mx` term, and the most of them (RFC 7208 4.6.4).
const MX_LIMIT: usize = 10;

/// The result (RFC 7208 2.6).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Judgement {
    /// There is no record.
    None,
    /// A term decided; `+`, `-`, `~` or `?`.
    Says(char),
    /// The record is wrong.
    Wrong(String),
    /// DNS did not answer.
    CannotTell(String),
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Judgement::None => f.write_str("none"),
            Judgement::Says('+') => f.write_str("pass"),
            Judgement::Says('-') => f.write_str("fail"),
            Judgement::Says('~') => f.write_str("softfail"),
            Judgement::Says(_) => f.write_str("neutral"),
            Judgement::Wrong(why) => write!(f, "permerror: {why}"),
            Judgement::CannotTell(why) => write!(f, "temperror: {why}"),
        }
    }
}

/// Judges an address that sends in a domain's name. Returns the lookups that it took, too.
pub fn judge(client: &Client, address: IpAddr, domain: &str) -> (Judgement, usize) {
    let mut evaluation = Evaluation { client, address: address.to_canonical(), lookups: 0, voids: 0 };
    let judgement = match evaluation.check(domain) {
        Ok(Some(qualifier)) => Judgement::Says(qualifier),
        Ok(None) => Judgement::None,
        Err(Stop::Wrong(why)) => Judgement::Wrong(why),
        Err(Stop::Silence(silence)) => Judgement::CannotTell(silence.to_string()),
    };
    (judgement, evaluation.lookups)
}

/// Why an evaluation ends at once.
enum Stop {
    Wrong(String),
    Silence(Silence),
}

impl From<Silence> for Stop {
    fn from(silence: Silence) -> Stop {
        Stop::Silence(silence)
    }
}

struct Evaluation<'a> {
    client: &'a Client,
    address: IpAddr,
    lookups: usize,
    voids: usize,
}

impl Evaluation<'_> {
    /// RFC 7208 4.4 to 4.7. `None`: there is no record.
    fn check(&mut self, domain: &str) -> Result<Option<char>, Stop> {
        let texts = self.values(domain, RecordKind::Txt, false)?;
        let mut records = texts.iter().filter(|text| is_spf(text));
        let Some(record) = records.next() else { return Ok(None) };
        if records.next().is_some() {
            return Err(Stop::Wrong(format!("{domain} has two SPF records")));
        }
        let mut redirect = None;
        for term in record.split(' ').skip(1).filter(|term| !term.is_empty()) {
            if let Some((name, value)) = modifier(term) {
                if name.eq_ignore_ascii_case("redirect") {
                    redirect = Some(value);
                }
                continue;
            }
            let qualifier = term.chars().next().filter(|c| "+-~?".contains(*c));
            let mechanism = &term[qualifier.map_or(0, char::len_utf8)..];
            if self.matches(mechanism, domain)? {
                return Ok(Some(qualifier.unwrap_or('+')));
            }
        }
        match redirect {
            None => Ok(Some('?')),
            Some(target) => {
                self.count()?;
                let target = self.expand(target, domain)?;
                let missing = || Stop::Wrong(format!("{target}, which {domain} redirects to, has no SPF record"));
                self.check(&target)?.map(Some).ok_or_else(missing)
            }
        }
    }

    fn matches(&mut self, mechanism: &str, domain: &str) -> Result<bool, Stop> {
        let end = mechanism.find([':', '/']).unwrap_or(mechanism.len());
        let (name, rest) = mechanism.split_at(end);
        let wrong = || Stop::Wrong(format!("{domain} says {mechanism:?}, which is no mechanism"));
        match name.to_ascii_lowercase().as_str() {
            "all" if rest.is_empty() => Ok(true),
            "ip4" | "ip6" => {
                let text = rest.strip_prefix(':').ok_or_else(wrong)?;
                let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
                let network: IpAddr = address.parse().map_err(|_| wrong())?;
                if network.is_ipv4() != name.eq_ignore_ascii_case("ip4") {
                    return Err(wrong());
                }
                let most = if network.is_ipv4() { 32 } else { 128 };
                let prefix = prefix.map_or(Ok(most), |prefix| prefix.parse().map_err(|_| wrong()))?;
                if prefix > most { Err(wrong()) } else { Ok(within(self.address, network, prefix)) }
            }
            "include" => {
                self.count()?;
                let target = self.expand(rest.strip_prefix(':').ok_or_else(wrong)?, domain)?;
                match self.check(&target)? {
                    Some(qualifier) => Ok(qualifier == '+'),
                    None => Err(Stop::Wrong(format!("{target}, which {domain} includes, has no SPF record"))),
                }
            }
            "a" | "mx" => {
                self.count()?;
                let (target, four, six) = self.target(rest, domain).ok_or_else(wrong)?;
                let target = self.expand(&target, domain)?;
                let prefix = if self.address.is_ipv4() { four } else { six };
                let hosts = if name.eq_ignore_ascii_case("a") { vec![target] } else { self.mx_hosts(&target)? };
                for host in hosts {
                    if self.addresses(&host)?.into_iter().any(|address| within(self.address, address, prefix)) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            "exists" => {
                self.count()?;
                let target = self.expand(rest.strip_prefix(':').ok_or_else(wrong)?, domain)?;
                Ok(!self.values(&target, RecordKind::A, true)?.is_empty())
            }
            // RFC 7208 5.5: not to be used, and slow; receivers may take it for no match.
            "ptr" => self.count().map(|()| false),
            _ => Err(wrong()),
        }
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.lookups += 1;
        if self.lookups > LOOKUP_LIMIT {
            return Err(Stop::Wrong(format!("more than {LOOKUP_LIMIT} lookups")));
        }
        Ok(())
    }

    fn mx_hosts(&mut self, target: &str) -> Result<Vec<String>, Stop> {
        let values = self.values(target, RecordKind::Mx, true)?;
        if values.len() > MX_LIMIT {
            return Err(Stop::Wrong(format!("{target} has more than {MX_LIMIT} MX hosts")));
        }
        Ok(values.iter().filter_map(|value| value.split_once(' ')).map(|(_, host)| host.to_owned()).collect())
    }

    fn addresses(&mut self, host: &str) -> Result<Vec<IpAddr>, Stop> {
        let kind = if self.address.is_ipv4() { RecordKind::A } else { RecordKind::Aaaa };
        Ok(self.values(host, kind, true)?.iter().filter_map(|value| value.parse().ok()).collect())
    }

    /// The values at a name. A term that finds nothing counts against its own limit.
    fn values(&mut self, name: &str, kind: RecordKind, is_term: bool) -> Result<Vec<String>, Stop> {
        match self.client.ask(name, kind)? {
            Answer::Found(found) => Ok(found.into_iter().map(|live| live.value).collect()),
            Answer::Nothing | Answer::Nonexistent => {
                self.voids += usize::from(is_term);
                if self.voids > VOID_LIMIT {
                    return Err(Stop::Wrong(format!("more than {VOID_LIMIT} lookups that find nothing")));
                }
                Ok(Vec::new())
            }
        }
    }

    /// `:domain/24//64`, each part optional: the domain, and the prefixes for both families.
    fn target(&self, rest: &str, domain: &str) -> Option<(String, u8, u8)> {
        let (name, prefixes) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let name = match name.strip_prefix(':') {
            Some(name) if !name.is_empty() => name,
            Some(_) => return None,
            None => domain,
        };
        let (four, six) = match prefixes.split_once("//") {
            Some((four, six)) => (four, Some(six)),
            None => (prefixes, None),
        };
        let four = four.strip_prefix('/').map_or(Some(32), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= 32))?;
        let six = six.map_or(Some(128), |prefix| prefix.parse().ok().filter(|prefix| *prefix <= 128))?;
        Some((name.to_owned(), four, six))
    }

    /// Macros (RFC 7208 7). The sender is `postmaster` at the domain, as for a bounce.
    fn expand(&self, text: &str, domain: &str) -> Result<String, Stop> {
        let wrong = || Stop::Wrong(format!("{domain} says {text:?}, in which a macro is wrong"));
        let mut out = String::new();
        let mut rest = text;
        while let Some((plain, after)) = rest.split_once('%') {
            out.push_str(plain);
            rest = match after.chars().next() {
                Some('%') => push(&mut out, "%", &after[1..]),
                Some('_') => push(&mut out, " ", &after[1..]),
                Some('-') => push(&mut out, "%20", &after[1..]),
                Some('{') => {
                    let (body, after) = after[1..].split_once('}').ok_or_else(wrong)?;
                    push(&mut out, &self.macro_value(body, domain).ok_or_else(wrong)?, after)
                }
                _ => return Err(wrong()),
            };
        }
        out.push_str(rest);
        Ok(out)
    }

    /// `d2r-`: a letter, how many parts from the right, whether in reverse, and what divides them.
    fn macro_value(&self, body: &str, domain: &str) -> Option<String> {
        let letter = body.chars().next()?;
        let value = match letter.to_ascii_lowercase() {
            's' => format!("postmaster@{domain}"),
            'l' => "postmaster".to_owned(),
            'o' | 'd' | 'h' => domain.to_owned(),
            'i' => match self.address {
                IpAddr::V4(address) => address.to_string(),
                IpAddr::V6(address) => {
                    let nibbles = address.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
                    nibbles.map(|nibble| format!("{nibble:x}")).collect::<Vec<_>>().join(".")
                }
            },
            'v' => if self.address.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
            _ => return None,
        };
        let rest = &body[letter.len_utf8()..];
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, rest) = rest.split_at(digits);
        let (is_reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let delimiters = if delimiters.is_empty() { "." } else { delimiters };
        let mut parts: Vec<&str> = value.split(|c: char| delimiters.contains(c)).collect();
        if is_reversed {
            parts.reverse();
        }
        let count: usize = if count.is_empty() { parts.len() } else { count.parse().ok().filter(|count| *count > 0)? };
        Some(parts[parts.len().saturating_sub(count)..].join("."))
    }
}

fn push<'a>(out: &mut String, text: &str, rest: &'a str) -> &'a str {
    out.push_str(text);
    rest
}

/// Whether a text is an SPF record (RFC 7208 4.5): the version alone, or followed by a space.
pub fn is_spf(text: &str) -> bool {
    let version = Spf::VERSION;
    text.get(..version.len()).is_some_and(|start| start.eq_ignore_ascii_case(version))
        && matches!(text.as_bytes().get(version.len()), None | Some(b' '))
}

/// `name=value`; a `:` or `/` before the `=` makes it a mechanism.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    (!name.contains([':', '/'])).then_some((name, value))
}

fn within(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let shift = |bits: u32| bits - u32::from(prefix);
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let differs = Ipv4Addr::to_bits(a) ^ Ipv4Addr::to_bits(b);
            differs.checked_shr(shift(32)).unwrap_or(0) == 0
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let differs = Ipv6Addr::to_bits(a) ^ Ipv6Addr::to_bits(b);
            differs.checked_shr(shift(128)).unwrap_or(0) == 0
        }
        _ => false,
    }
}
