//! The stored form of envelopes, states and changes: the meta part of a record. Numbers are little-endian, text is its length
//! in 32 bits and its UTF-8, an option is a zero octet or a one before the value. Any change here is a new
//! [`super::segment::FORMAT_VERSION`].

use crate::queue::envelope::{Attempt, Change, Client, Envelope, Generation, Outcome, Progress, Recipient, RecipientState};
use crate::queue::id::QueueId;
use crate::smtp::command::{Notify, OriginalRecipient, Return, Xtext};
use postern_schema::decide::{SentAs, TlsWish};
use postern_schema::name::{HostName, LocalPart, Mailbox, ReversePath};
use postern_schema::reply::{EnhancedStatus, Reply, ReplyCode};
use postern_schema::site::Fingerprint;
use std::net::IpAddr;
use std::sync::Arc;

/// A checksum held, and yet the content is none that we write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Malformed(pub(super) &'static str);

type Decoded<T> = Result<T, Malformed>;

/// What a message record says.
#[derive(PartialEq, Debug)]
pub(super) struct Message<'a> {
    pub(super) envelope: Envelope,
    /// The envelope as it is stored.
    pub(super) envelope_octets: &'a [u8],
    pub(super) progress: Progress,
    /// What comes true with it.
    pub(super) changes: Vec<Change>,
}

/// Appends what a message record says; of the envelope, the octets that [`put_envelope`] wrote.
pub(super) fn put_message(out: &mut Vec<u8>, envelope_octets: &[u8], progress: &Progress, changes: &[Change]) {
    out.extend_from_slice(envelope_octets);
    out.push(progress.held.into());
    progress.states.iter().for_each(|state| put_state(out, state));
    put_changes(out, changes);
}

/// Reads what [`put_message`] wrote.
pub(super) fn message(meta: &[u8]) -> Decoded<Message<'_>> {
    let mut input = Input(meta);
    let envelope = input.envelope()?;
    let envelope_octets = &meta[..meta.len() - input.0.len()];
    let held = input.flag()?;
    let states = (0..envelope.recipients.len()).map(|_| input.state()).collect::<Decoded<_>>()?;
    let changes = input.changes()?;
    input.end()?;
    Ok(Message { envelope, envelope_octets, progress: Progress { states, held }, changes })
}

/// Reads what [`put_envelope`] wrote.
pub(super) fn envelope(octets: &[u8]) -> Decoded<Envelope> {
    let mut input = Input(octets);
    let envelope = input.envelope()?;
    input.end()?;
    Ok(envelope)
}

/// Appends what a record of changes says.
pub(super) fn put_changes(out: &mut Vec<u8>, changes: &[Change]) {
    put_u32(out, changes.len());
    changes.iter().for_each(|change| put_change(out, change));
}

/// Reads what [`put_changes`] wrote.
pub(super) fn changes(meta: &[u8]) -> Decoded<Vec<Change>> {
    let mut input = Input(meta);
    let changes = input.changes()?;
    input.end()?;
    Ok(changes)
}

fn put_u32(out: &mut Vec<u8>, number: usize) {
    // A count that does not fit belongs to a record that is too large to be written.
    out.extend_from_slice(&u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_u64(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_u32(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn put_option<T>(out: &mut Vec<u8>, value: Option<T>, put: impl FnOnce(&mut Vec<u8>, T)) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        put(out, value);
    }
}

fn put_mailbox(out: &mut Vec<u8>, mailbox: &Mailbox) {
    put_text(out, mailbox.local.as_str());
    match &mailbox.host {
        HostName::Domain(domain) => put_text(out, domain.as_str()),
        literal @ HostName::Literal(_) => put_text(out, &literal.to_string()),
    }
}

/// Appends an envelope.
pub(super) fn put_envelope(out: &mut Vec<u8>, envelope: &Envelope) {
    put_u64(out, envelope.id.number());
    put_u64(out, envelope.arrival_ms);
    put_u64(out, envelope.generation.0);
    put_u64(out, envelope.body_octets);
    put_option(out, envelope.body_file, |out, crc| out.extend_from_slice(&crc.to_le_bytes()));
    out.push(envelope.smtp_utf8.into());
    out.push(envelope.eight_bit.into());
    out.push(match envelope.tls_wish {
        TlsWish::Default => 0,
        TlsWish::Required => 1,
        TlsWish::Optional => 2,
    });
    put_option(out, envelope.ret, |out, ret| out.push((ret == Return::Full).into()));
    put_option(out, envelope.envid.as_ref(), |out, envid| put_text(out, envid.as_str()));
    put_option(out, envelope.reverse_path.mailbox(), put_mailbox);
    put_option(out, envelope.client.as_deref(), |out, client| {
        put_text(out, &client.address.to_string());
        put_text(out, &client.helo);
        put_text(out, &client.listener);
        put_login(out, client);
    });
    put_u32(out, envelope.recipients.len());
    for recipient in &envelope.recipients {
        put_mailbox(out, &recipient.address);
        put_given(out, recipient);
        put_option(out, recipient.notify, |out, notify| {
            out.push(u8::from(notify.success) | u8::from(notify.failure) << 1 | u8::from(notify.delay) << 2);
        });
        put_option(out, recipient.orcpt.as_ref(), |out, orcpt| put_text(out, &orcpt.to_string()));
    }
}

/// Who the client has shown to be; the tags of one without a certificate are those of an option.
fn put_login(out: &mut Vec<u8>, client: &Client) {
    out.push(u8::from(client.user.is_some()) | u8::from(!client.certificate.is_empty()) << 1);
    if let Some(user) = &client.user {
        put_text(out, user);
    }
    if !client.certificate.is_empty() {
        put_u32(out, client.certificate.len());
        client.certificate.iter().for_each(|fingerprint| out.extend_from_slice(&fingerprint.0));
    }
}

/// What RCPT said, and in whose name the mail goes on; the tags of messages that keep their sender are those of an option.
fn put_given(out: &mut Vec<u8>, recipient: &Recipient) {
    let tag = match (&recipient.sent_as, &recipient.given) {
        (SentAs::Sender, given) => u8::from(given.is_some()),
        (SentAs::Owner(_), _) => 2,
        (SentAs::Forwarder { srs: false, .. }, _) => 3,
        (SentAs::Forwarder { srs: true, .. }, _) => 4,
    };
    out.push(tag);
    if tag > 0 {
        put_mailbox(out, recipient.original());
    }
    if let SentAs::Owner(other) | SentAs::Forwarder { by: other, .. } = &recipient.sent_as {
        put_mailbox(out, other);
    }
}

fn put_attempt(out: &mut Vec<u8>, attempt: &Arc<Attempt>) {
    put_text(out, &attempt.reply.code.to_string());
    put_option(out, attempt.reply.status, |out, status| put_text(out, &status.to_string()));
    put_text(out, &attempt.reply.text);
    put_option(out, attempt.remote_mta.as_deref(), put_text);
    put_u64(out, attempt.at_ms);
    put_u64(out, attempt.generation.0);
}

fn put_state(out: &mut Vec<u8>, state: &RecipientState) {
    match state {
        RecipientState::Pending { attempts: 0, next_attempt_ms: 0, last: None, warned: false } => out.push(0),
        RecipientState::Pending { attempts, next_attempt_ms, last, warned } => {
            out.push(if *warned { 6 } else { 1 });
            out.extend_from_slice(&attempts.to_le_bytes());
            put_u64(out, *next_attempt_ms);
            put_option(out, last.as_ref(), put_attempt);
        }
        RecipientState::Delivered => out.push(2),
        RecipientState::Failed(attempt) => {
            out.push(3);
            put_attempt(out, attempt);
        }
        RecipientState::Expired(attempt) => {
            out.push(4);
            put_attempt(out, attempt);
        }
        RecipientState::Returned => out.push(5),
        RecipientState::Succeeded { attempt, relayed } => {
            out.push(if *relayed { 8 } else { 7 });
            put_attempt(out, attempt);
        }
    }
}

fn put_change(out: &mut Vec<u8>, change: &Change) {
    put_u64(out, change.id().number());
    match change {
        Change::Remove(_) => out.push(0),
        Change::Hold(_) => out.push(1),
        Change::Release(_) => out.push(2),
        Change::Retry { at_ms, .. } => {
            out.push(3);
            put_u64(out, *at_ms);
        }
        Change::Outcome { recipients, outcome, .. } => {
            out.push(4);
            put_u32(out, recipients.len());
            recipients.iter().for_each(|index| out.extend_from_slice(&index.to_le_bytes()));
            match outcome {
                Outcome::Delivered => out.push(0),
                Outcome::Deferred { attempt, next_ms } => {
                    out.push(1);
                    put_u64(out, *next_ms);
                    put_attempt(out, attempt);
                }
                Outcome::Failed(attempt) => {
                    out.push(2);
                    put_attempt(out, attempt);
                }
                Outcome::Expired(attempt) => {
                    out.push(3);
                    put_attempt(out, attempt);
                }
                Outcome::Returned => out.push(4),
                Outcome::Succeeded { attempt, relayed } => {
                    out.push(if *relayed { 6 } else { 5 });
                    put_attempt(out, attempt);
                }
                Outcome::Warned => out.push(7),
            }
        }
    }
}

/// What is left to read.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, octets: usize) -> Decoded<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(octets).ok_or(Malformed("a value goes past the end of its record"))?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u8(&mut self) -> Decoded<u8> {
        self.array::<1>().map(|[octet]| octet)
    }

    fn u32(&mut self) -> Decoded<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Decoded<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn flag(&mut self) -> Decoded<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Malformed("a flag is neither 0 nor 1")),
        }
    }

    fn text(&mut self) -> Decoded<&'a str> {
        let octets = self.u32()? as usize;
        std::str::from_utf8(self.take(octets)?).map_err(|_| Malformed("a text is not UTF-8"))
    }

    fn boxed_text(&mut self) -> Decoded<Box<str>> {
        self.text().map(Box::from)
    }

    fn xtext(&mut self) -> Decoded<Xtext> {
        Xtext::parse(self.text()?).ok_or(Malformed("an envelope id is none"))
    }

    fn orcpt(&mut self) -> Decoded<OriginalRecipient> {
        OriginalRecipient::parse(self.text()?).ok_or(Malformed("an original recipient is none"))
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Decoded<T>) -> Decoded<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    /// A count of things that take at least one octet each, so that a wrong one asks for no memory.
    fn count(&mut self) -> Decoded<usize> {
        let count = self.u32()? as usize;
        if count <= self.0.len() { Ok(count) } else { Err(Malformed("a count is larger than its record")) }
    }

    fn end(&self) -> Decoded<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed("something follows the end of a record's content")) }
    }

    fn id(&mut self) -> Decoded<QueueId> {
        self.u64().map(QueueId::from_number)
    }

    fn mailbox(&mut self) -> Decoded<Mailbox> {
        let local = LocalPart::from_content(self.text()?).map_err(|_| Malformed("a local part is none"))?;
        let host = HostName::parse(self.text()?).map_err(|_| Malformed("a domain is none"))?;
        Ok(Mailbox::new(local, host))
    }

    fn envelope(&mut self) -> Decoded<Envelope> {
        Ok(Envelope {
            id: self.id()?,
            arrival_ms: self.u64()?,
            generation: Generation(self.u64()?),
            body_octets: self.u64()?,
            body_file: self.option(Input::u32)?,
            smtp_utf8: self.flag()?,
            eight_bit: self.flag()?,
            tls_wish: self.tls_wish()?,
            ret: self.option(Input::flag)?.map(|full| if full { Return::Full } else { Return::Headers }),
            envid: self.option(Input::xtext)?,
            reverse_path: self.option(Input::mailbox)?.map_or(ReversePath::Null, ReversePath::Mailbox),
            client: self.option(Input::client)?.map(Box::new),
            recipients: self.recipients()?,
        })
    }

    fn tls_wish(&mut self) -> Decoded<TlsWish> {
        match self.u8()? {
            0 => Ok(TlsWish::Default),
            1 => Ok(TlsWish::Required),
            2 => Ok(TlsWish::Optional),
            _ => Err(Malformed("a wish about TLS is none")),
        }
    }

    fn client(&mut self) -> Decoded<Client> {
        let address: IpAddr = self.text()?.parse().map_err(|_| Malformed("a client's address is none"))?;
        let (helo, listener) = (self.boxed_text()?, self.boxed_text()?);
        let tag = self.u8()?;
        if tag > 3 {
            return Err(Malformed("a client has logged in in an unknown way"));
        }
        let user = if tag & 1 != 0 { Some(self.boxed_text()?) } else { None };
        let certificates = if tag & 2 != 0 { self.count()? } else { 0 };
        let certificate = (0..certificates).map(|_| self.array().map(Fingerprint)).collect::<Decoded<_>>()?;
        Ok(Client { address, helo, listener, user, certificate })
    }

    fn recipients(&mut self) -> Decoded<Box<[Recipient]>> {
        let count = self.count()?;
        let one = |input: &mut Self| {
            let address = input.mailbox()?;
            let (given, sent_as) = input.given(&address)?;
            Ok(Recipient { address, given, sent_as, notify: input.option(Input::notify)?, orcpt: input.option(Input::orcpt)? })
        };
        (0..count).map(|_| one(self)).collect()
    }

    fn given(&mut self, address: &Mailbox) -> Decoded<(Option<Box<Mailbox>>, SentAs)> {
        let tag = self.u8()?;
        if tag == 0 {
            return Ok((None, SentAs::Sender));
        }
        let given = Some(Box::new(self.mailbox()?)).filter(|given| tag == 1 || **given != *address);
        let sent_as = match tag {
            1 => SentAs::Sender,
            2 => SentAs::Owner(self.mailbox()?),
            3 | 4 => SentAs::Forwarder { by: self.mailbox()?, srs: tag == 4 },
            _ => return Err(Malformed("a recipient is sent in an unknown way")),
        };
        Ok((given, sent_as))
    }

    fn notify(&mut self) -> Decoded<Notify> {
        let bits = self.u8()?;
        Ok(Notify { success: bits & 1 != 0, failure: bits & 2 != 0, delay: bits & 4 != 0 })
    }

    fn attempt(&mut self) -> Decoded<Arc<Attempt>> {
        let code = ReplyCode::parse(self.text()?.as_bytes()).ok_or(Malformed("a reply code is none"))?;
        let status = self.option(|input| EnhancedStatus::parse(input.text()?).ok_or(Malformed("a status is none")))?;
        let reply = Reply { code, status, text: self.text()?.to_owned().into() };
        let remote_mta = self.option(Input::boxed_text)?;
        Ok(Arc::new(Attempt { reply, remote_mta, at_ms: self.u64()?, generation: Generation(self.u64()?) }))
    }

    fn state(&mut self) -> Decoded<RecipientState> {
        Ok(match self.u8()? {
            0 => RecipientState::NEW,
            tag @ (1 | 6) => RecipientState::Pending {
                attempts: self.array().map(u16::from_le_bytes)?,
                next_attempt_ms: self.u64()?,
                last: self.option(Input::attempt)?,
                warned: tag == 6,
            },
            2 => RecipientState::Delivered,
            3 => RecipientState::Failed(self.attempt()?),
            4 => RecipientState::Expired(self.attempt()?),
            5 => RecipientState::Returned,
            tag @ (7 | 8) => RecipientState::Succeeded { attempt: self.attempt()?, relayed: tag == 8 },
            _ => return Err(Malformed("a recipient is in an unknown state")),
        })
    }

    fn changes(&mut self) -> Decoded<Vec<Change>> {
        let count = self.count()?;
        (0..count).map(|_| self.change()).collect()
    }

    fn change(&mut self) -> Decoded<Change> {
        let id = self.id()?;
        Ok(match self.u8()? {
            0 => Change::Remove(id),
            1 => Change::Hold(id),
            2 => Change::Release(id),
            3 => Change::Retry { id, at_ms: self.u64()? },
            4 => {
                let count = self.count()?;
                let recipients = (0..count).map(|_| self.u32()).collect::<Decoded<_>>()?;
                Change::Outcome { id, recipients, outcome: self.outcome()? }
            }
            _ => return Err(Malformed("a change is of an unknown kind")),
        })
    }

    fn outcome(&mut self) -> Decoded<Outcome> {
        Ok(match self.u8()? {
            0 => Outcome::Delivered,
            1 => {
                let next_ms = self.u64()?;
                Outcome::Deferred { attempt: self.attempt()?, next_ms }
            }
            2 => Outcome::Failed(self.attempt()?),
            3 => Outcome::Expired(self.attempt()?),
            4 => Outcome::Returned,
            tag @ (5 | 6) => Outcome::Succeeded { attempt: self.attempt()?, relayed: tag == 6 },
            7 => Outcome::Warned,
            _ => return Err(Malformed("an outcome is of an unknown kind")),
        })
    }
}

#[cfg(test)]
#[path = "tests/codec.rs"]
mod tests;
