//! What EHLO announces (RFC 5321 4.1.1.1), and what Received says of the protocol (RFC 3848).

use super::Server;
use std::fmt::Write;

impl Server {
    /// The text of the reply to EHLO, one extension a line.
    pub(super) fn extensions(&self) -> String {
        let config = &self.config;
        let mut lines = format!(
            "{}\nPIPELINING\nSIZE {}\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nCHUNKING\nBINARYMIME\nDSN\nLIMITS RCPTMAX={}",
            config.hostname, config.message_octets, config.recipients
        );
        if config.xclient {
            lines.push_str("\nXCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT");
        }
        if self.believes_peers() {
            lines.push_str("\nXFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE");
        }
        // RFC 8689 2: not before TLS is on.
        if self.tls {
            lines.push_str("\nREQUIRETLS");
        }
        if self.offers_starttls() {
            lines.push_str("\nSTARTTLS");
        }
        if self.offers_auth() {
            lines.push_str("\nAUTH");
            for mechanism in self.mechanisms() {
                // A `String` takes every write, so there is no error to look at.
                let _ = write!(lines, " {mechanism}");
            }
        }
        lines
    }

    fn offers_starttls(&self) -> bool {
        self.config.starttls && !self.tls
    }

    /// Passwords are taken from users only, and under TLS only (RFC 4954 4, RFC 8314 3.3).
    pub(super) fn offers_auth(&self) -> bool {
        self.tls && self.config.kind.requires_login() && self.mechanisms().next().is_some()
    }

    /// The `with` keyword of the Received field for the transaction at hand (RFC 3848, RFC 6531 4.3).
    pub fn protocol(&self) -> &'static str {
        let extended = self.hello.as_ref().is_some_and(|hello| hello.extended);
        let smtputf8 = self.transaction.as_ref().is_some_and(|transaction| transaction.smtputf8);
        if self.is_lmtp() {
            return match (smtputf8, self.tls) {
                (false, false) => "LMTP",
                (false, true) => "LMTPS",
                (true, false) => "UTF8LMTP",
                (true, true) => "UTF8LMTPS",
            };
        }
        match (extended, smtputf8, self.tls, self.authenticated) {
            (false, ..) => "SMTP",
            (true, false, false, false) => "ESMTP",
            (true, false, false, true) => "ESMTPA",
            (true, false, true, false) => "ESMTPS",
            (true, false, true, true) => "ESMTPSA",
            (true, true, false, false) => "UTF8SMTP",
            (true, true, false, true) => "UTF8SMTPA",
            (true, true, true, false) => "UTF8SMTPS",
            (true, true, true, true) => "UTF8SMTPSA",
        }
    }
}
