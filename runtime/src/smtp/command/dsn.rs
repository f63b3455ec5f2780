//! What a sender asks of notifications (RFC 3461): RET, ENVID, NOTIFY and ORCPT, read by the server and written by the client.

use std::fmt;

/// RET: how much of the message a failure notification returns (RFC 3461 4.3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Return {
    /// All of it.
    Full,
    /// Its header block.
    Headers,
}

impl Return {
    /// Reads `FULL` or `HDRS`, in any case.
    pub fn parse(value: &str) -> Option<Return> {
        [Return::Full, Return::Headers].into_iter().find(|ret| ret.as_str().eq_ignore_ascii_case(value))
    }

    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Return::Full => "FULL",
            Return::Headers => "HDRS",
        }
    }
}

/// NOTIFY: what a sender wants to hear of. All `false` is `NEVER` (RFC 3461 4.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Notify {
    /// It was delivered.
    pub success: bool,
    /// It cannot be delivered.
    pub failure: bool,
    /// It is late.
    pub delay: bool,
}

impl Notify {
    /// Reads `NEVER`, or a list of `SUCCESS`, `FAILURE` and `DELAY`, in any case.
    pub fn parse(value: &str) -> Option<Notify> {
        let mut notify = Notify { success: false, failure: false, delay: false };
        if value.eq_ignore_ascii_case("NEVER") {
            return Some(notify);
        }
        for word in value.split(',') {
            match word.to_ascii_uppercase().as_str() {
                "SUCCESS" => notify.success = true,
                "FAILURE" => notify.failure = true,
                "DELAY" => notify.delay = true,
                _ => return None,
            }
        }
        Some(notify)
    }
}

impl fmt::Display for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut divider = "";
        for (wanted, word) in [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")] {
            if wanted {
                write!(f, "{divider}{word}")?;
                divider = ",";
            }
        }
        if divider.is_empty() { f.write_str("NEVER") } else { Ok(()) }
    }
}

/// Text in the encoding of RFC 3461 4: printable ASCII, with `+` and two hexadecimal digits for everything else. Kept as it was
/// written, since a relay passes it on unchanged (RFC 3461 5.2.1); never empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Xtext(Box<str>);

impl Xtext {
    /// Reads encoded text; `None` if it is not well formed.
    pub fn parse(text: &str) -> Option<Xtext> {
        let mut octets = text.bytes();
        while let Some(octet) = octets.next() {
            let is_valid = match octet {
                // RFC 3461 4: the digits are of upper case; senders that use the lower one are understood as well.
                b'+' => (0..2).all(|_| octets.next().is_some_and(|digit| digit.is_ascii_hexdigit())),
                b'=' => false,
                octet => octet.is_ascii_graphic(),
            };
            if !is_valid {
                return None;
            }
        }
        (!text.is_empty()).then(|| Xtext(text.into()))
    }

    /// Reads the value of ENVID: at most 100 octets that stand for printable ASCII (RFC 3461 4.4).
    pub fn parse_envelope_id(text: &str) -> Option<Xtext> {
        let id = Xtext::parse(text)?;
        let is_printable = id.decode().chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == '\t');
        (text.len() <= 100 && is_printable).then_some(id)
    }

    /// The encoded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it stands for; octets that are no UTF-8 become U+FFFD.
    pub fn decode(&self) -> String {
        let mut octets = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_bytes();
        while let [first, after @ ..] = rest {
            rest = after;
            octets.push(match (first, after) {
                (b'+', [high, low, after @ ..]) => {
                    rest = after;
                    hex_digit(*high) << 4 | hex_digit(*low)
                }
                (octet, _) => *octet,
            });
        }
        String::from_utf8_lossy(&octets).into_owned()
    }
}

/// The value of a digit that `Xtext::parse` has let through.
fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10) & 0xf,
    }
}

/// ORCPT: the recipient that the sender wrote, `type;address` (RFC 3461 4.2). Kept as it was written, for the same reason as
/// [`Xtext`].
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct OriginalRecipient {
    /// The kind of address: `rfc822`, or `utf-8` (RFC 6533 3), or any other atom.
    pub kind: Box<str>,
    /// The address, encoded: xtext, or for `utf-8` the forms of RFC 6533 3.
    pub address: Box<str>,
}

/// The longest ORCPT, in octets (RFC 3461 4.2).
const ORIGINAL_RECIPIENT_MAX_OCTETS: usize = 500;

impl OriginalRecipient {
    /// Reads the value of ORCPT.
    pub fn parse(value: &str) -> Option<OriginalRecipient> {
        let (kind, address) = value.split_once(';')?;
        let is_kind = !kind.is_empty() && kind.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-');
        let is_address = match kind.eq_ignore_ascii_case("utf-8") {
            true => !address.is_empty() && !address.contains(|c: char| c.is_control() || c == ' ' || c == '='),
            false => Xtext::parse(address).is_some(),
        };
        let fits = is_kind && is_address && value.len() <= ORIGINAL_RECIPIENT_MAX_OCTETS;
        fits.then(|| OriginalRecipient { kind: kind.into(), address: address.into() })
    }
}

impl OriginalRecipient {
    /// `type;address` as people read it. The address of a type whose encoding is not xtext stays as it was written.
    pub fn decode(&self) -> String {
        let address = Xtext::parse(&self.address).map_or_else(|| self.address.to_string(), |address| address.decode());
        format!("{};{address}", self.kind)
    }
}

impl fmt::Display for OriginalRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.kind, self.address)
    }
}
