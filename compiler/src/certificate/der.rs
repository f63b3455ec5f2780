//! As much of DER as a certificate needs: elements one after the other, each with a tag of one octet and a definite length
//! (X.690 8.1, 10.1).

/// One element.
pub(super) struct Element<'a> {
    /// The tag, one octet.
    pub tag: u8,
    /// What it holds.
    pub content: &'a [u8],
    /// All of it, with tag and length.
    pub whole: &'a [u8],
}

/// Elements in a row.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Reader<'a> {
        Reader(octets)
    }

    /// The next element; `None` at the end, and where there is none.
    pub(super) fn next(&mut self) -> Option<Element<'a>> {
        let (tag, first) = (*self.0.first()?, *self.0.get(1)?);
        let (length, header) = if first < 0x80 {
            (usize::from(first), 2)
        } else {
            let count = usize::from(first & 0x7F);
            // Four octets of length are four gigabytes: more than any certificate.
            let digits = self.0.get(2..2 + count).filter(|digits| (1..=4).contains(&digits.len()))?;
            (digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit)), 2 + count)
        };
        let end = header.checked_add(length)?;
        let whole = self.0.get(..end)?;
        self.0 = &self.0[end..];
        Some(Element { tag, content: &whole[header..], whole })
    }

    /// The content of the next element, which must have this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|element| element.tag == tag).map(|element| element.content)
    }

    /// The content of the next element if it has this tag; else nothing is taken.
    pub(super) fn optional(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.0.first() == Some(&tag) { self.expect(tag) } else { None }
    }

    /// What is in a SEQUENCE.
    pub(super) fn sequence(&mut self) -> Option<Reader<'a>> {
        self.expect(0x30).map(Reader)
    }

    /// The octets of an OBJECT IDENTIFIER.
    pub(super) fn object(&mut self) -> Option<&'a [u8]> {
        self.expect(0x06)
    }
}
