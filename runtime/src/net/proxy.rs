//! The PROXY protocol, version 1 and 2, as load balancers write it in front of a connection: where it comes from in truth. Read
//! from peers that the site lists and from nobody else, before a single octet is said or any TLS begins.
//!
//! Octet for octet as far as the header goes and no further: what comes behind it is the client's.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest header of version 1, line end included.
const LINE_OCTETS: usize = 107;
/// What version 2 begins with.
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// The most of version 2 behind its lengths: addresses, and what a balancer may add to them.
const TAIL_OCTETS: usize = 4096;

/// Reads a header. `None`: the balancer speaks for itself, to see whether we are there.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] for what is no header, and what the network did.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if &start == SIGNATURE {
        let mut lengths = [0; 4];
        stream.read_exact(&mut lengths).await?;
        let [version, family, high, low] = lengths;
        let mut tail = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        if tail.len() > TAIL_OCTETS {
            return Err(invalid());
        }
        stream.read_exact(&mut tail).await?;
        return binary(version, family, &tail).ok_or_else(invalid);
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == LINE_OCTETS || !line.starts_with(b"PROXY ") {
            return Err(invalid());
        }
        line.push(stream.read_u8().await?);
    }
    text(&line).ok_or_else(invalid)
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a listed balancer sent no PROXY header")
}

fn text(line: &[u8]) -> Option<Option<IpAddr>> {
    let words: Vec<&str> = std::str::from_utf8(line).ok()?.trim_end().split(' ').collect();
    match words.as_slice() {
        ["PROXY", "UNKNOWN", ..] => Some(None),
        ["PROXY", family, source, destination, source_port, port] => {
            let (source, destination): (IpAddr, IpAddr) = (source.parse().ok()?, destination.parse().ok()?);
            let is_family =
                |address: IpAddr| if *family == "TCP4" { address.is_ipv4() } else { *family == "TCP6" && address.is_ipv6() };
            let are_ports = [source_port, port].iter().all(|port| port.parse::<u16>().is_ok());
            (is_family(source) && is_family(destination) && are_ports).then_some(Some(source))
        }
        _ => None,
    }
}

fn binary(version: u8, family: u8, tail: &[u8]) -> Option<Option<IpAddr>> {
    match (version, family) {
        (0x20, _) | (0x21, 0x00) => Some(None),
        (0x21, 0x11) => {
            let source: [u8; 4] = tail.get(..12)?.get(..4)?.try_into().ok()?;
            Some(Some(Ipv4Addr::from(source).into()))
        }
        (0x21, 0x21) => {
            let source: [u8; 16] = tail.get(..36)?.get(..16)?.try_into().ok()?;
            Some(Some(Ipv6Addr::from(source).into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(header: &[u8]) -> (Option<Option<String>>, usize) {
        let mut rest = header;
        let found = read(&mut rest).await.ok().map(|client| client.map(|client| client.to_string()));
        (found, rest.len())
    }

    #[tokio::test]
    async fn both_versions_and_nothing_behind_them() {
        let some = |text: &str| Some(Some(text.to_owned()));
        assert_eq!(parsed(b"PROXY TCP4 192.0.2.1 10.0.0.1 4000 25\r\nEHLO").await, (some("192.0.2.1"), 4));
        assert_eq!(parsed(b"PROXY TCP6 2001:db8::1 ::1 4000 25\r\n").await, (some("2001:db8::1"), 0));
        assert_eq!(parsed(b"PROXY UNKNOWN\r\nx").await, (Some(None), 1));
        let four = [&SIGNATURE[..], &[0x21, 0x11, 0, 15, 192, 0, 2, 1, 10, 0, 0, 1, 15, 160, 0, 25, 1, 2, 3], b"EHLO"].concat();
        assert_eq!(parsed(&four).await, (some("192.0.2.1"), 4));
        let local = [&SIGNATURE[..], &[0x20, 0, 0, 0], b"E"].concat();
        assert_eq!(parsed(&local).await, (Some(None), 1));
        let six = [&SIGNATURE[..], &[0x21, 0x21, 0, 36], &[0x20; 16], &[0; 20]].concat();
        assert_eq!(parsed(&six).await.0, some("2020:2020:2020:2020:2020:2020:2020:2020"));
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let long = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 200], b"\r\n"].concat();
        let cut = [&SIGNATURE[..], &[0x21, 0x11, 0, 4, 192, 0, 2, 1]].concat();
        let version = [&SIGNATURE[..], &[0x31, 0x11, 0, 12], &[0; 12]].concat();
        let large = [&SIGNATURE[..], &[0x21, 0x11, 255, 255], &[0; 100]].concat();
        let cases: [&[u8]; 8] = [
            b"EHLO client.example\r\n",
            b"PROXY TCP4 ::1 ::1 1 1\r\n",
            b"PROXY TCP4 192.0.2.1 192.0.2.2 99999 1\r\n",
            b"PROXY TCP4 192.0.2.1\r\n",
            &long,
            &cut,
            &version,
            &large,
        ];
        for case in cases {
            assert_eq!(parsed(case).await.0, None, "{}", case.escape_ascii());
        }
    }
}
