//! Typed values: what is read, what is refused, and what the help says.

use super::*;

fn text(kind: &ValueType, written: &str) -> Result<Typed, ValueError> {
    read(kind, &Value::String(written.to_owned()))
}

fn help(kind: &ValueType, written: &str) -> String {
    let source = crate::source::SourceId(0);
    let span = crate::source::Span { source, start: 0, length: 0 };
    text(kind, written).expect_err(written).to_diagnostic(span).help.expect("every value error helps")
}

#[test]
fn durations() {
    let seconds = |n| Ok(Typed::Duration(Duration::from_secs(n)));
    assert_eq!(text(&ValueType::Duration, "5m"), seconds(300));
    assert_eq!(text(&ValueType::Duration, "1h30m"), seconds(5400));
    assert_eq!(text(&ValueType::Duration, "4w"), seconds(4 * 604_800));
    assert_eq!(text(&ValueType::Duration, "0s"), seconds(0));
    for wrong in ["", "5", "m", "5x", "5 m", "-5m", "1.5h", "30m1h", "5m5m", "5ｍ", "99999999999999999999s", "9999999999w", "²s"]
    {
        assert!(text(&ValueType::Duration, wrong).is_err(), "{wrong}");
    }
    assert!(help(&ValueType::Duration, "300").contains("\"300s\""));
}

#[test]
fn sizes() {
    assert_eq!(text(&ValueType::Size, "25MiB"), Ok(Typed::Octets(Octets(25 << 20))));
    assert_eq!(text(&ValueType::Size, "512B"), Ok(Typed::Octets(Octets(512))));
    for wrong in ["", "MiB", "25", "25M", "25MB", "2.5GiB", "-1B", "99999999TiB", "25 MiB x"] {
        assert!(text(&ValueType::Size, wrong).is_err(), "{wrong}");
    }
    assert!(help(&ValueType::Size, "25MB").contains("\"25MiB\""));
    assert!(help(&ValueType::Size, "10240000").contains("\"10240000B\""));
}

#[test]
fn rates() {
    let rate = |count, per| Ok(Typed::Rate(Rate { count, per: Duration::from_secs(per) }));
    assert_eq!(text(&ValueType::Rate, "14/s"), rate(14, 1));
    assert_eq!(text(&ValueType::Rate, "100/1m"), rate(100, 60));
    for wrong in ["", "/", "14", "14/", "0/s", "14/0s", "+1/s", "x/s", "14/s/s"] {
        assert!(text(&ValueType::Rate, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn factors_are_exact_hundredths() {
    assert_eq!(read(&ValueType::Factor, &Value::Integer(2)), Ok(Typed::Factor(Factor(200))));
    assert_eq!(read(&ValueType::Factor, &Value::Float(1.15)), Ok(Typed::Factor(Factor(115))));
    for wrong in
        [Value::Integer(0), Value::Integer(101), Value::Float(1.155), Value::Float(f64::NAN), Value::Float(0.5), Value::Null]
    {
        assert!(read(&ValueType::Factor, &wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn counts_keep_their_bounds_and_know_quoted_numbers() {
    let count = ValueType::Count { least: 1, most: 10 };
    assert_eq!(read(&count, &Value::Integer(10)), Ok(Typed::Integer(10)));
    assert!(read(&count, &Value::Integer(0)).is_err());
    assert!(read(&count, &Value::Integer(i128::MAX)).is_err());
    assert!(help(&ValueType::Port, "587").contains("587, without quotes"));
    assert_eq!(read(&ValueType::Port, &Value::Integer(65_536)).map_err(|error| error.code()), Err("LNG007"));
}

#[test]
fn networks() {
    let network = |text: &str| Ok(Typed::Cidr(text.parse().expect("a network")));
    assert_eq!(text(&ValueType::Cidr, "192.0.2.0/24"), network("192.0.2.0/24"));
    assert_eq!(text(&ValueType::Cidr, "192.0.2.7"), network("192.0.2.7/32"));
    assert_eq!(text(&ValueType::Cidr, "2001:db8::/32"), network("2001:db8::/32"));
    assert!(help(&ValueType::Cidr, "192.0.2.7/24").contains("\"192.0.2.0/24\""));
    assert!(help(&ValueType::Cidr, "[2001:db8::]/32").contains("\"2001:db8::/32\""));
    assert!(text(&ValueType::Cidr, "192.0.2.0/33").is_err());
    assert!(help(&ValueType::Ip, "192.0.2.0/24").contains("\"192.0.2.0\""));
}

#[test]
fn hosts_and_endpoints() {
    assert!(matches!(text(&ValueType::Host, "mail.example.com"), Ok(Typed::Host(HostName::Domain(_)))));
    for literal in ["192.0.2.1", "2001:db8::1", "[192.0.2.1]", "[2001:db8::1]", "[IPv6:2001:db8::1]"] {
        assert!(matches!(text(&ValueType::Host, literal), Ok(Typed::Host(HostName::Literal(_)))), "{literal}");
    }
    assert!(help(&ValueType::Host, "[mail.isp.example]:587").contains("port=587"));
    assert!(help(&ValueType::Host, "mail.isp.example:587").contains("\"mail.isp.example\""));
    for endpoint in ["unix:/run/x", "inet:127.0.0.1:11332", "127.0.0.1:9100", "[::1]:9100", "localhost:24"] {
        assert!(text(&ValueType::Endpoint, endpoint).is_ok(), "{endpoint}");
    }
    for wrong in ["unix:run/x", "127.0.0.1", "inet:127.0.0.1:0", "inet:host:x", ""] {
        assert!(text(&ValueType::Endpoint, wrong).is_err(), "{wrong}");
    }
    for socket in ["127.0.0.1:9100", "[::1]:0"] {
        assert!(text(&ValueType::Socket, socket).is_ok(), "{socket}");
    }
    for wrong in ["localhost:9100", "127.0.0.1", ":9100", "unix:/run/x"] {
        assert!(text(&ValueType::Socket, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn addresses() {
    assert!(matches!(text(&ValueType::Address, "alice"), Ok(Typed::Address(Address::Local(_)))));
    assert!(matches!(text(&ValueType::Address, "alice@example.com"), Ok(Typed::Address(Address::Mailbox(_)))));
    assert!(help(&ValueType::LocalPart, "alice@example.com").contains("\"alice\""));
    assert!(help(&ValueType::Mailbox, "Alice <alice@example.com>").contains("Write \"alice@example.com\""));
    assert!(help(&ValueType::Domain, "alice@example.com").contains("Write \"example.com\""));
    assert_eq!(text(&ValueType::ReversePath, ""), Ok(Typed::ReversePath(ReversePath::Null)));
    assert_eq!(text(&ValueType::ForwardPath, "Postmaster"), Ok(Typed::ForwardPath(ForwardPath::Postmaster)));
    assert_eq!(text(&ValueType::Selection, "*"), Ok(Typed::Selection(RoutePattern::Any)));
    assert!(help(&ValueType::Selection, "*.example.com").contains("\".example.com\""));
    assert!(text(&ValueType::Selection, "alice@example.com").is_err());
}

#[test]
fn templates_and_patterns() {
    assert!(text(&ValueType::Template, "sales+{1}@example.com").is_ok());
    for wrong in ["sales+{0}@example.com", "sales+{1@example.com", "sales {1}", "{10}@example.com", ""] {
        assert!(text(&ValueType::Template, wrong).is_err(), "{wrong}");
    }
    assert!(text(&ValueType::PathTemplate, "/var/mail/{domain}/{user}").is_ok());
    assert!(text(&ValueType::PathTemplate, "/var/mail/{host}").is_err());
    assert!(text(&ValueType::Pattern, r"^sales-(\w+)$").is_ok());
    assert!(text(&ValueType::Pattern, r"(a").is_err());
    assert!(text(&ValueType::Pattern, r"(\w{1000}){1000}").is_err());
}

#[test]
fn a_secret_is_never_repeated() {
    let error = text(&ValueType::Secret, "hunter2 !").expect_err("a password");
    assert!(!format!("{error}").contains("hunter2"));
    assert_eq!(error.code(), "LNG018");
}

#[test]
fn truth_knows_the_words_of_other_languages() {
    assert!(help(&ValueType::Truth, "yes").contains("#true"));
    assert!(help(&ValueType::Truth, "Off").contains("#false"));
}

#[test]
fn urls() {
    for fine in ["https://example.com/x", "mailto:a@example.com", "ldaps://ldap.example.com"] {
        assert!(text(&ValueType::Url, fine).is_ok(), "{fine}");
    }
    for wrong in ["", "example.com", "https://", "https:///x", "mailto:x", "ftp://x", "https://a b", "é:"] {
        assert!(text(&ValueType::Url, wrong).is_err(), "{wrong}");
    }
    assert!(help(&ValueType::Url, "tls@example.com").contains("\"mailto:tls@example.com\""));
}
