//! One transaction of a client: the commands of its envelope, as many at once as the peer allows, and the replies to them.

use super::Capabilities;
use crate::smtp::command::{Notify, OriginalRecipient, Return, Xtext};
use postern_schema::name::{Mailbox, ReversePath};
use postern_schema::reply::Reply;
use std::io::Write;

/// The most commands without a reply. A peer that writes replies while we write commands must not fill both directions of the
/// connection (RFC 2920 3.1).
pub(super) const WINDOW: usize = 128;

/// What is to be sent, but for the content.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transaction {
    /// The sender.
    pub reverse_path: ReversePath,
    /// The recipients. The caller heeds [`Capabilities::recipients`].
    pub recipients: Vec<Recipient>,
    /// Octets of the content.
    pub size_octets: u64,
    /// The content needs SMTPUTF8: its header holds UTF-8 (RFC 6532). Addresses are looked at here.
    pub smtputf8: bool,
    /// The content holds octets beyond ASCII. A peer without 8BITMIME gets them all the same: those that cannot bear that are
    /// gone, and re-encoding would break signatures.
    pub eight_bit: bool,
    /// The next host must promise to hand it on under TLS alone (RFC 8689 4.2.1).
    pub require_tls: bool,
    /// RET of the sender (RFC 3461 4.3).
    pub ret: Option<Return>,
    /// ENVID of the sender (RFC 3461 4.4).
    pub envelope_id: Option<Xtext>,
}

/// One recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// The address.
    pub mailbox: Mailbox,
    /// NOTIFY of the sender (RFC 3461 4.1).
    pub notify: Option<Notify>,
    /// ORCPT of the sender (RFC 3461 4.2).
    pub original_recipient: Option<OriginalRecipient>,
}

impl Transaction {
    /// Whether a peer must offer SMTPUTF8 to take this. A domain never asks for it: it is sent as A-labels.
    pub(super) fn needs_smtputf8(&self) -> bool {
        let is_ascii = |mailbox: &Mailbox| mailbox.local.is_ascii();
        self.smtputf8
            || !self.reverse_path.mailbox().is_none_or(is_ascii)
            || !self.recipients.iter().all(|recipient| is_ascii(&recipient.mailbox))
    }
}

/// What a reply led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// More replies are to come.
    Waiting,
    /// The peer wants the content.
    Body,
    /// It does, and has refused every recipient.
    NoRecipients,
    /// Every command is answered, and no content will be sent. `unfinished`: the peer still has a transaction open.
    Over { unfinished: bool },
    /// The peer would not reset.
    NotReset,
    /// That is no reply to the command.
    Babble,
}

/// A command of the envelope.
#[derive(Clone, Copy)]
enum Command {
    Reset,
    Mail,
    Recipient(usize),
    Data,
}

/// A transaction on its way. Commands are numbered: RSET, MAIL, each RCPT, and DATA but where the content is chunked.
#[derive(Debug)]
pub(super) struct Envelope {
    transaction: Transaction,
    /// The reply of each recipient that has one of its own: a refusal, or with LMTP the last word.
    replies: Vec<Option<Reply>>,
    refused: usize,
    /// The refusal of MAIL or DATA, which is for everybody.
    refusal: Option<Reply>,
    mail_accepted: bool,
    /// The content goes out by BDAT (RFC 3030), which needs no reply before it.
    chunked: bool,
    sent: usize,
    answered: usize,
}

impl Envelope {
    pub(super) fn new(transaction: Transaction, reset: bool, chunked: bool) -> Envelope {
        let replies = vec![None; transaction.recipients.len()];
        let first = usize::from(!reset);
        Envelope { transaction, replies, refused: 0, refusal: None, mail_accepted: false, chunked, sent: first, answered: first }
    }

    pub(super) fn is_chunked(&self) -> bool {
        self.chunked
    }

    fn command(&self, number: usize) -> Option<Command> {
        let recipients = self.transaction.recipients.len();
        match number {
            0 => Some(Command::Reset),
            1 => Some(Command::Mail),
            number if number < 2 + recipients => Some(Command::Recipient(number - 2)),
            number if number == 2 + recipients && !self.chunked => Some(Command::Data),
            _ => None,
        }
    }

    fn is_hopeless(&self) -> bool {
        self.refusal.is_some() || self.refused == self.replies.len()
    }

    /// Writes what may be sent now: all of it to a peer that takes groups (RFC 2920), else one command.
    pub(super) fn write_commands(&mut self, peer: &Capabilities, out: &mut Vec<u8>) {
        let window = if peer.pipelining { WINDOW } else { 1 };
        while self.sent - self.answered < window && !self.is_hopeless() {
            let Some(command) = self.command(self.sent) else { return };
            // A `Vec` takes every write, so there is no error to look at.
            let _ = self.write(command, peer, out);
            self.sent += 1;
        }
    }

    fn write(&self, command: Command, peer: &Capabilities, out: &mut Vec<u8>) -> std::io::Result<()> {
        match command {
            Command::Reset => out.extend_from_slice(b"RSET\r\n"),
            Command::Mail => self.write_mail(peer, out)?,
            Command::Recipient(index) => self.write_rcpt(&self.transaction.recipients[index], peer, out)?,
            Command::Data => out.extend_from_slice(b"DATA\r\n"),
        }
        Ok(())
    }

    fn write_mail(&self, peer: &Capabilities, out: &mut Vec<u8>) -> std::io::Result<()> {
        let transaction = &self.transaction;
        write!(out, "MAIL FROM:<{}>", transaction.reverse_path)?;
        if peer.size {
            write!(out, " SIZE={}", transaction.size_octets)?;
        }
        if transaction.eight_bit && peer.eight_bit {
            out.extend_from_slice(b" BODY=8BITMIME");
        }
        if transaction.needs_smtputf8() {
            out.extend_from_slice(b" SMTPUTF8");
        }
        if transaction.require_tls {
            out.extend_from_slice(b" REQUIRETLS");
        }
        if peer.dsn {
            if let Some(ret) = transaction.ret {
                write!(out, " RET={}", ret.as_str())?;
            }
            if let Some(id) = &transaction.envelope_id {
                write!(out, " ENVID={}", id.as_str())?;
            }
        }
        out.write_all(b"\r\n")
    }

    fn write_rcpt(&self, recipient: &Recipient, peer: &Capabilities, out: &mut Vec<u8>) -> std::io::Result<()> {
        write!(out, "RCPT TO:<{}>", recipient.mailbox)?;
        if peer.dsn {
            if let Some(notify) = recipient.notify {
                write!(out, " NOTIFY={notify}")?;
            }
            // RFC 6533 3: UTF-8 may stand in it only where the command may hold UTF-8.
            match &recipient.original_recipient {
                Some(original) if original.address.is_ascii() || self.transaction.needs_smtputf8() => {
                    write!(out, " ORCPT={original}")?;
                }
                _ => {}
            }
        }
        out.write_all(b"\r\n")
    }

    /// Takes the reply to the oldest command that has none.
    pub(super) fn take_reply(&mut self, reply: &Reply) -> Progress {
        if self.answered == self.sent {
            return Progress::Babble;
        }
        let Some(command) = self.command(self.answered) else { return Progress::Babble };
        self.answered += 1;
        let code = reply.code;
        match command {
            Command::Data if code.is_intermediate() && self.is_hopeless() => return Progress::NoRecipients,
            Command::Data if code.is_intermediate() => return Progress::Body,
            Command::Data if code.is_positive() => return Progress::Babble,
            _ if code.is_intermediate() => return Progress::Babble,
            Command::Reset if !code.is_positive() => return Progress::NotReset,
            Command::Mail if code.is_positive() => self.mail_accepted = true,
            Command::Recipient(index) if !code.is_positive() && self.refusal.is_none() => {
                self.replies[index] = Some(reply.clone());
                self.refused += 1;
            }
            Command::Mail | Command::Data => {
                self.refusal.get_or_insert_with(|| reply.clone());
            }
            Command::Reset | Command::Recipient(_) => {}
        }
        let is_over = self.answered == self.sent && (self.is_hopeless() || self.command(self.sent).is_none());
        if is_over && self.chunked && !self.is_hopeless() {
            return Progress::Body;
        }
        if is_over { Progress::Over { unfinished: self.mail_accepted } } else { Progress::Waiting }
    }

    /// LMTP: takes the next reply to the content. Whether another one is to come.
    pub(super) fn take_final_reply(&mut self, reply: &Reply) -> bool {
        if let Some(slot) = self.replies.iter_mut().find(|slot| slot.is_none()) {
            *slot = Some(reply.clone());
        }
        self.replies.iter().any(Option::is_none)
    }

    /// The reply of each recipient: its own, or that to MAIL or DATA, or else `last`.
    pub(super) fn conclude(self, last: &Reply) -> Vec<Reply> {
        let common = self.refusal.as_ref().unwrap_or(last);
        self.replies.into_iter().map(|reply| reply.unwrap_or_else(|| common.clone())).collect()
    }
}
