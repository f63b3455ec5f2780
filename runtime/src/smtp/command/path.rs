//! The paths of MAIL and RCPT (RFC 5321 4.1.2): finds where one ends, and sets a source route aside.

use postern_schema::name::{Domain, ForwardPath, Mailbox, ReversePath};
use postern_schema::reply::Reply;

/// Splits `FROM:<path> parameters` into the path without its brackets and the parameters. Blanks after the colon are no part
/// of the grammar, but common.
///
/// # Errors
/// `bad_address` where the path has no end; else the reply to a syntax error.
pub(super) fn split<'a>(argument: &'a [u8], keyword: &str, bad_address: Reply) -> Result<(&'a str, &'a str), Reply> {
    let text = std::str::from_utf8(argument).map_err(|_| Reply::SYNTAX)?;
    let (head, rest) = text.split_at_checked(keyword.len()).ok_or(Reply::SYNTAX)?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(Reply::SYNTAX);
    }
    let path = rest.trim_start_matches([' ', '\t']).strip_prefix('<').ok_or(Reply::SYNTAX)?;
    let end = find_end(path).ok_or(bad_address)?;
    let parameters = &path[end + 1..];
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return Err(Reply::SYNTAX);
    }
    Ok((&path[..end], parameters))
}

/// The first `>` that does not stand in a quoted string (RFC 5321 4.1.2).
fn find_end(path: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    path.bytes().position(|octet| {
        if escaped {
            escaped = false;
            return false;
        }
        match octet {
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return true,
            _ => {}
        }
        false
    })
}

pub(super) fn parse_reverse(path: &str) -> Option<ReversePath> {
    match strip_route(path)? {
        (route, mailbox) if route || !mailbox.is_empty() => Mailbox::parse(mailbox).ok().map(ReversePath::Mailbox),
        _ => Some(ReversePath::Null),
    }
}

pub(super) fn parse_forward(path: &str) -> Option<ForwardPath> {
    match strip_route(path)? {
        (true, mailbox) => Mailbox::parse(mailbox).ok().map(ForwardPath::Mailbox),
        (false, mailbox) => ForwardPath::parse(mailbox).ok(),
    }
}

/// Drops a source route, `@a,@b:`, and says whether there was one. It must be well formed and is ignored (RFC 5321 4.1.1.3).
fn strip_route(path: &str) -> Option<(bool, &str)> {
    if !path.starts_with('@') {
        return Some((false, path));
    }
    let (route, mailbox) = path.split_once(':')?;
    let is_valid = route.split(',').all(|hop| hop.strip_prefix('@').is_some_and(|domain| Domain::parse(domain).is_ok()));
    is_valid.then_some((true, mailbox))
}
