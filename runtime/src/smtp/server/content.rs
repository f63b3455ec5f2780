//! DATA (RFC 5321 4.1.1.4) and BDAT (RFC 3030 2): how a message comes in.

use super::commands::bare;
use super::{Asked, Question, Server, State, Step, Transaction};
use crate::smtp::command::{self, Verb};
use crate::smtp::data::{Decoder, Framing};
use bytes::{Buf, BytesMut};
use postern_schema::reply::Reply;
use postern_schema::site::ListenerKind;

/// A chunk that is coming in.
#[derive(Debug)]
pub(super) struct Chunk {
    octets: u64,
    remaining: u64,
    last: bool,
    /// It belongs to no message: this is the reply once it is read.
    refusal: Option<Reply>,
}

impl Server {
    pub(super) fn data(&mut self, argument: &[u8]) -> Result<Reply, Reply> {
        bare(argument)?;
        let transaction = with_recipients(&mut self.transaction, self.config.kind)?;
        // A message that began with BDAT goes on with BDAT (RFC 3030 2), and dots mean nothing in a binary one (RFC 3030 3).
        if transaction.content.is_some() || transaction.is_binary {
            return Err(Reply::BAD_SEQUENCE);
        }
        let config = &self.config;
        let decoder = Decoder::new(Framing::Dots, config.message_octets, config.hops, transaction.declared_octets);
        transaction.content = Some(decoder.mending(config.mends_line_ends));
        self.state = State::Data;
        Ok(Reply::START_MAIL)
    }

    pub(super) fn read_data(&mut self, input: &mut BytesMut) -> Option<Step> {
        let decoder = self.transaction.as_mut().and_then(|transaction| transaction.content.as_mut());
        match decoder.and_then(|decoder| decoder.feed(input)) {
            None => {
                input.clear();
                Some(Step::NeedInput)
            }
            Some(octets) => {
                input.advance(octets);
                self.message_complete()
            }
        }
    }

    pub(super) fn bdat(&mut self, argument: &[u8]) -> Option<Step> {
        // Where the chunk ends is not known, so the next command cannot be found either.
        let Some((octets, last)) = command::parse_bdat(argument) else {
            self.refuse(&Reply::SYNTAX);
            return None;
        };
        let refusal = match self.demand_tls(Verb::Bdat) {
            Some(reply) => Some(reply),
            None => self.begin_chunk(octets).err(),
        };
        self.state = State::Chunk(Chunk { octets, remaining: octets, last, refusal });
        None
    }

    fn begin_chunk(&mut self, octets: u64) -> Result<(), Reply> {
        let transaction = with_recipients(&mut self.transaction, self.config.kind)?;
        let config = &self.config;
        let declared_octets = transaction.declared_octets.max(octets);
        let framing = if transaction.is_binary { Framing::Binary } else { Framing::Counted };
        transaction.content.get_or_insert_with(|| {
            let decoder = Decoder::new(framing, config.message_octets, config.hops, declared_octets);
            decoder.mending(config.mends_line_ends)
        });
        Ok(())
    }

    pub(super) fn read_chunk(&mut self, input: &mut BytesMut) -> Option<Step> {
        let State::Chunk(chunk) = &mut self.state else { return None };
        let octets = usize::try_from(chunk.remaining).map_or(input.len(), |remaining| remaining.min(input.len()));
        let decoder = self.transaction.as_mut().and_then(|transaction| transaction.content.as_mut());
        // A refused chunk has none to go to.
        if let Some(decoder) = decoder {
            decoder.feed(&input[..octets]);
        }
        input.advance(octets);
        chunk.remaining -= octets as u64;
        if chunk.remaining > 0 {
            return Some(Step::NeedInput);
        }
        let State::Chunk(chunk) = std::mem::replace(&mut self.state, State::Command) else { return None };
        self.chunk_complete(chunk)
    }

    fn chunk_complete(&mut self, chunk: Chunk) -> Option<Step> {
        match chunk.refusal.or_else(|| self.content().and_then(Decoder::fault)) {
            // The chunk may be at fault, and the message still go on: every chunk of it earns the same reply.
            Some(reply) => {
                if chunk.last {
                    self.say_for_the_others(&reply);
                    self.transaction = None;
                }
                self.reject(&reply);
                None
            }
            None if chunk.last => self.message_complete(),
            None => {
                self.say(&Reply::chunk_taken(chunk.octets));
                None
            }
        }
    }

    fn message_complete(&mut self) -> Option<Step> {
        let decoder = self.transaction.as_mut().and_then(|transaction| transaction.content.take())?;
        match decoder.finish() {
            // The transaction stays open, for `protocol`, until the caller has answered.
            Ok(message) => self.ask(Asked::Message, Question::Message(message)),
            Err(reply) => {
                self.say_for_the_others(&reply);
                self.transaction = None;
                self.state = State::Command;
                self.reject(&reply);
                None
            }
        }
    }
}

/// The transaction, if it has somebody to deliver to.
fn with_recipients(transaction: &mut Option<Transaction>, kind: ListenerKind) -> Result<&mut Transaction, Reply> {
    match transaction {
        None => Err(Reply::BAD_SEQUENCE),
        Some(transaction) if transaction.attempted == 0 => Err(Reply::BAD_SEQUENCE),
        // RFC 2033 4.2: nobody is there to reply for.
        Some(transaction) if transaction.accepted == 0 && kind == ListenerKind::Lmtp => Err(Reply::BAD_SEQUENCE),
        // RFC 5321 3.3: there were recipients, and every one was refused.
        Some(transaction) if transaction.accepted == 0 => Err(Reply::NO_VALID_RECIPIENTS),
        Some(transaction) => Ok(transaction),
    }
}
