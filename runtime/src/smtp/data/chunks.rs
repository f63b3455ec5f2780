//! Turns message content into BDAT commands (RFC 3030 2). Called by the client.
//!
//! Content goes out as it is: it holds CRLF line ends, and a chunk needs no dots stuffed. The last piece is held back until it is
//! known to be the last, so that no empty chunk has to say so.

/// The chunks of one message.
#[derive(Debug, Default)]
pub struct Chunks {
    held: Vec<u8>,
    /// Chunks before the last whose replies are to come.
    unanswered: usize,
}

impl Chunks {
    /// Takes the next piece of content, and appends the one before it to `out`.
    pub fn push(&mut self, content: &[u8], out: &mut Vec<u8>) {
        if !self.held.is_empty() {
            out.extend_from_slice(format!("BDAT {}\r\n", self.held.len()).as_bytes());
            out.append(&mut self.held);
            self.unanswered += 1;
        }
        self.held.extend_from_slice(content);
    }

    /// Appends the last chunk.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(format!("BDAT {} LAST\r\n", self.held.len()).as_bytes());
        out.append(&mut self.held);
    }

    /// Whether replies to chunks before the last are to come.
    pub fn is_open(&self) -> bool {
        self.unanswered > 0
    }

    /// Takes a reply to one of them, if one is to come.
    pub fn take_reply(&mut self) -> bool {
        let is_open = self.is_open();
        self.unanswered -= usize::from(is_open);
        is_open
    }
}
