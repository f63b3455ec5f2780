//! Records: the frames that a segment is made of. A record is a header, a part called meta that `codec` knows, and for a
//! message its body; its length is rounded up to eight octets.
//!
//! | octets | what |
//! |---|---|
//! | 0..8 | salt of the segment |
//! | 8..16 | id of the message; the number of the segment in its first record; else 0 |
//! | 16..20 | octets of meta |
//! | 20..24 | octets of the body |
//! | 24 | kind |
//! | 25..28 | zero |
//! | 28..32 | CRC-32 over 8..28, meta and body |
//!
//! The salt is random and leaves the host nowhere. Without it, a sender could write records into the body of a message, for
//! the search behind a damaged record to find. Numbers are little-endian.

use bytes::Bytes;

/// Octets before meta.
pub(super) const HEADER_OCTETS: usize = 32;
/// The most that one record holds, so that offsets fit 32 bits with room to spare.
pub(super) const RECORD_MAX_OCTETS: u64 = 1 << 30;

/// What a record is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    /// The first record of a segment.
    Segment = 1,
    /// A message with its state; supersedes everything earlier about it.
    Message = 2,
    /// Changes to messages.
    Changes = 3,
}

/// A whole record whose checksum holds.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    pub(super) id: u64,
    pub(super) meta: &'a [u8],
    pub(super) body: &'a [u8],
}

impl Record<'_> {
    /// With header and padding.
    pub(super) fn octets(&self) -> usize {
        padded(HEADER_OCTETS + self.meta.len() + self.body.len())
    }
}

fn padded(octets: usize) -> usize {
    octets.next_multiple_of(8)
}

/// Builds a record without salt: `write_meta` appends meta.
pub(super) fn seal(kind: Kind, id: u64, body: &[Bytes], write_meta: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let body_octets: usize = body.iter().map(Bytes::len).sum();
    let mut record = Vec::with_capacity(HEADER_OCTETS + 512 + body_octets);
    record.resize(HEADER_OCTETS, 0);
    write_meta(&mut record);
    let meta_octets = record.len() - HEADER_OCTETS;
    body.iter().for_each(|piece| record.extend_from_slice(piece));
    record[8..16].copy_from_slice(&id.to_le_bytes());
    // Longer ones do not come this far, or are refused by their length before they are written.
    record[16..20].copy_from_slice(&u32::try_from(meta_octets).unwrap_or(u32::MAX).to_le_bytes());
    record[20..24].copy_from_slice(&u32::try_from(body_octets).unwrap_or(u32::MAX).to_le_bytes());
    record[24] = kind as u8;
    let crc = checksum(&record);
    record[28..32].copy_from_slice(&crc.to_le_bytes());
    record.resize(padded(record.len()), 0);
    record
}

/// Puts the salt of the segment in that the record is about to be written to.
pub(super) fn salt(record: &mut [u8], salt: u64) {
    record[..8].copy_from_slice(&salt.to_le_bytes());
}

fn checksum(unpadded: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&unpadded[8..28]);
    hasher.update(&unpadded[HEADER_OCTETS..]);
    hasher.finalize()
}

/// Reads the record that `octets` begins with; whatever follows it is ignored.
///
/// # Errors
/// What is wrong with it.
pub(super) fn read(octets: &[u8], salt: u64) -> Result<Record<'_>, &'static str> {
    let header = octets.get(..HEADER_OCTETS).ok_or("the file ends within the header of a record")?;
    if header[..8] != salt.to_le_bytes() {
        return Err("a record does not begin as it should");
    }
    let meta_octets = u32_at(header, 16) as usize;
    let end = HEADER_OCTETS + meta_octets + u32_at(header, 20) as usize;
    let unpadded = &octets.get(..padded(end)).ok_or("the file ends within a record")?[..end];
    if checksum(unpadded) != u32_at(header, 28) {
        return Err("the checksum of a record does not hold");
    }
    let kind = match header[24] {
        1 => Kind::Segment,
        2 => Kind::Message,
        3 => Kind::Changes,
        _ => return Err("a record is of an unknown kind"),
    };
    let (meta, body) = unpadded[HEADER_OCTETS..].split_at(meta_octets);
    Ok(Record { kind, id: u64_at(header, 8), meta, body })
}

/// The body in a record that [`seal`] built.
pub(super) fn body(record: Bytes) -> Bytes {
    let start = HEADER_OCTETS + u32_at(&record, 16) as usize;
    record.slice(start..start + u32_at(&record, 20) as usize)
}

/// The first offset from `from` on at which a record stands.
pub(super) fn find(octets: &[u8], from: usize, salt: u64) -> Option<usize> {
    let salt_octets = salt.to_le_bytes();
    (from.next_multiple_of(8)..octets.len())
        .step_by(8)
        .find(|&offset| octets[offset..].starts_with(&salt_octets) && read(&octets[offset..], salt).is_ok())
}

fn u32_at(octets: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]])
}

fn u64_at(octets: &[u8], at: usize) -> u64 {
    u64::from(u32_at(octets, at)) | u64::from(u32_at(octets, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: u64 = 0x0123_4567_89ab_cdef;

    fn message() -> Vec<u8> {
        let mut record = seal(Kind::Message, 77, &[Bytes::from_static(b"ab"), Bytes::from_static(b"cde")], |meta| {
            meta.extend_from_slice(b"meta");
        });
        salt(&mut record, SALT);
        record
    }

    #[test]
    fn a_record_reads_back() {
        let octets = message();
        let record = read(&octets, SALT).unwrap();
        assert_eq!((record.kind, record.id, record.meta, record.body), (Kind::Message, 77, &b"meta"[..], &b"abcde"[..]));
        assert_eq!(record.octets(), octets.len());
        assert_eq!(octets.len(), 48);
        assert_eq!(body(octets.clone().into()), b"abcde"[..]);
        assert!(read(&octets, SALT + 1).is_err());
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let whole = message();
        for bit in 0..(HEADER_OCTETS + 4 + 5) * 8 {
            let mut octets = whole.clone();
            octets[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&octets, SALT).is_err(), "bit {bit}");
        }
        for end in 0..whole.len() {
            assert!(read(&whole[..end], SALT).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn the_search_finds_the_next_record_and_no_forged_one() {
        let mut log = message();
        let mut forged = message();
        salt(&mut forged, SALT ^ 1);
        log.extend_from_slice(&forged);
        let at = log.len();
        log.extend_from_slice(&message());
        assert_eq!(find(&log, 0, SALT), Some(0));
        assert_eq!(find(&log, 1, SALT), Some(at));
        assert_eq!(find(&log, at + 1, SALT), None);
    }
}
