//! Octets of stored values: a writer, a reader that never trusts what it reads, and [`Stored`] for the simple types.
//!
//! Numbers are little-endian; a text or list begins with its length in 32 bits. There is no self-description: the format
//! version says what stands where.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Collects the octets of one value.
#[derive(Default, Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// What was written so far.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Begins anew, in the same memory.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Appends a text, as one that is stored is written.
    pub fn put_text(&mut self, text: &str) {
        // A text of 4 GiB cannot come from a site file, whose size is bounded; were it so, the reader would say "damaged".
        (text.len() as u32).write(self);
        self.put(text.as_bytes());
    }

    /// What was written.
    pub fn into_octets(self) -> Vec<u8> {
        self.0
    }

    fn put(&mut self, octets: &[u8]) {
        self.0.extend_from_slice(octets);
    }
}

/// Reads the octets of one value from front to end.
#[derive(Debug)]
pub struct Reader<'a>(&'a [u8]);

/// The octets are not what the format says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged(pub &'static str);

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a stored value is damaged: {}", self.0)
    }
}

impl std::error::Error for Damaged {}

impl<'a> Reader<'a> {
    /// Begins at the front.
    pub fn new(octets: &'a [u8]) -> Reader<'a> {
        Reader(octets)
    }

    fn take(&mut self, octets: usize) -> Result<&'a [u8], Damaged> {
        let (head, rest) = self.0.split_at_checked(octets).ok_or(Damaged("it ends too soon"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Damaged> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Damaged("it ends too soon"))?;
        self.0 = rest;
        Ok(*head)
    }

    /// That nothing is left.
    ///
    /// # Errors
    /// [`Damaged`] if something is.
    pub fn end(self) -> Result<(), Damaged> {
        if self.0.is_empty() { Ok(()) } else { Err(Damaged("it is longer than it should be")) }
    }
}

/// A type with a stored form.
pub trait Stored: Sized {
    /// Appends its octets.
    fn write(&self, out: &mut Writer);
    /// Reads it back.
    ///
    /// # Errors
    /// [`Damaged`] for octets that [`Stored::write`] did not make.
    fn read(from: &mut Reader<'_>) -> Result<Self, Damaged>;

    /// Its octets alone.
    fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.write(&mut out);
        out.into_octets()
    }

    /// Reads it from the whole of `octets`.
    ///
    /// # Errors
    /// As for [`Stored::read`], and where something is left over.
    fn decode(octets: &[u8]) -> Result<Self, Damaged> {
        let mut from = Reader::new(octets);
        let value = Self::read(&mut from)?;
        from.end()?;
        Ok(value)
    }
}

macro_rules! stored_numbers {
    ($($number:ty),*) => {$(
        impl Stored for $number {
            fn write(&self, out: &mut Writer) {
                out.put(&self.to_le_bytes());
            }
            fn read(from: &mut Reader<'_>) -> Result<$number, Damaged> {
                Ok(<$number>::from_le_bytes(from.array()?))
            }
        }
    )*};
}

stored_numbers!(u8, u16, u32, u64, i32);

impl Stored for bool {
    fn write(&self, out: &mut Writer) {
        u8::from(*self).write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<bool, Damaged> {
        match u8::read(from)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Damaged("a truth value is neither 0 nor 1")),
        }
    }
}

impl Stored for char {
    fn write(&self, out: &mut Writer) {
        u32::from(*self).write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<char, Damaged> {
        char::from_u32(u32::read(from)?).ok_or(Damaged("a character is none"))
    }
}

impl Stored for [u8; 32] {
    fn write(&self, out: &mut Writer) {
        out.put(self);
    }
    fn read(from: &mut Reader<'_>) -> Result<[u8; 32], Damaged> {
        from.array()
    }
}

impl Stored for Box<str> {
    fn write(&self, out: &mut Writer) {
        out.put_text(self);
    }
    fn read(from: &mut Reader<'_>) -> Result<Box<str>, Damaged> {
        let octets = u32::read(from)? as usize;
        std::str::from_utf8(from.take(octets)?).map(Box::from).map_err(|_| Damaged("a text is not UTF-8"))
    }
}

impl<T: Stored> Stored for Vec<T> {
    fn write(&self, out: &mut Writer) {
        (self.len() as u32).write(out);
        self.iter().for_each(|item| item.write(out));
    }
    fn read(from: &mut Reader<'_>) -> Result<Vec<T>, Damaged> {
        let count = u32::read(from)? as usize;
        // Every item takes an octet at least, so a damaged count cannot ask for more memory than the value has octets.
        let mut items = Vec::with_capacity(count.min(from.0.len()));
        for _ in 0..count {
            items.push(T::read(from)?);
        }
        Ok(items)
    }
}

impl<T: Stored> Stored for Option<T> {
    fn write(&self, out: &mut Writer) {
        self.is_some().write(out);
        if let Some(value) = self {
            value.write(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Option<T>, Damaged> {
        Ok(if bool::read(from)? { Some(T::read(from)?) } else { None })
    }
}

impl<A: Stored, B: Stored> Stored for (A, B) {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
        self.1.write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<(A, B), Damaged> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

impl Stored for Duration {
    /// Whole seconds: the site language has no finer ones.
    fn write(&self, out: &mut Writer) {
        self.as_secs().write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Duration, Damaged> {
        Ok(Duration::from_secs(u64::read(from)?))
    }
}

impl Stored for IpAddr {
    fn write(&self, out: &mut Writer) {
        match self {
            IpAddr::V4(address) => {
                4u8.write(out);
                out.put(&address.octets());
            }
            IpAddr::V6(address) => {
                6u8.write(out);
                out.put(&address.octets());
            }
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<IpAddr, Damaged> {
        match u8::read(from)? {
            4 => Ok(IpAddr::V4(Ipv4Addr::from(from.array::<4>()?))),
            6 => Ok(IpAddr::V6(Ipv6Addr::from(from.array::<16>()?))),
            _ => Err(Damaged("an address is of no known family")),
        }
    }
}

impl Stored for SocketAddr {
    fn write(&self, out: &mut Writer) {
        (self.ip(), self.port()).write(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<SocketAddr, Damaged> {
        <(IpAddr, u16)>::read(from).map(SocketAddr::from)
    }
}
