//! Command lines: what is read, and the reply to what cannot be.

use super::*;
use proptest::prelude::*;

fn mail(argument: &str) -> Result<MailRequest, Reply> {
    parse_mail(argument.as_bytes())
}

fn rcpt(argument: &str) -> Result<RecipientRequest, Reply> {
    parse_rcpt(argument.as_bytes(), false)
}

fn sender(argument: &str) -> Result<String, Reply> {
    mail(argument).map(|request| request.reverse_path.to_string())
}

fn recipient(argument: &str) -> Result<String, Reply> {
    rcpt(argument).map(|request| request.forward_path.to_string())
}

#[test]
fn verbs_in_any_case_rfc_5321_2_4() {
    assert_eq!(split(b"ehLO  a b \t\r\n"), (Verb::Ehlo, &b"a b"[..]));
    assert_eq!(split(b"QUIT\r\n"), (Verb::Quit, &b""[..]));
    assert_eq!(split(b"StartTLS \r\n"), (Verb::StartTls, &b""[..]));
    for line in
        ["\r\n", " \r\n", " NOOP\r\n", "NOOP\t\r\nx", "STARTTLSX\r\n", "STARTTLSXY\r\n", "GET / HTTP/1.1\r\n", "\u{e9}\r\n"]
    {
        assert_eq!(split(line.as_bytes()).0, Verb::Unknown, "{line:?}");
    }
}

#[test]
fn paths_rfc_5321_4_1_2() {
    for (argument, path) in [
        ("FROM:<>", ""),
        ("from: \t<>", ""),
        ("FROM:<a@b.example>", "a@b.example"),
        ("FROM:<\"a>b\\\"> c\"@b.example> SIZE=1", "\"a>b\\\"> c\"@b.example"),
        ("FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
    ] {
        assert_eq!(sender(argument).as_deref(), Ok(path), "{argument:?}");
    }
    assert_eq!(recipient("TO:<PostMaster>").as_deref(), Ok("postmaster"));
}

#[test]
fn source_routes_are_read_and_ignored_rfc_5321_4_1_1_3() {
    assert_eq!(sender("FROM:<@a,@b.example:c@d>").as_deref(), Ok("c@d"));
    assert_eq!(recipient("TO:<@a:c@[IPv6:::1]>").as_deref(), Ok("c@[IPv6:::1]"));
    for route in ["<@a:>", "<@a>", "<@:a@b>", "<@a,b:c@d>", "<@a,:c@d>", "<@a b:c@d>", "<@a:@b:c@d>"] {
        assert_eq!(sender(&format!("FROM:{route}")), Err(Reply::BAD_SENDER_ADDRESS), "{route}");
        assert_eq!(recipient(&format!("TO:{route}")), Err(Reply::BAD_ADDRESS), "{route}");
    }
    assert_eq!(recipient("TO:<@a:postmaster>"), Err(Reply::BAD_ADDRESS));
}

#[test]
fn what_is_no_path_is_refused_rfc_5321_4_1_1_11() {
    for argument in [
        "",
        "FROM",
        "FROM:",
        "FROM :<>",
        "TO:<>",
        "FROM:a@b",
        "FROM:<>x",
        "FROM:<<>>",
        "FROM:<>\tSIZE=1",
        "\u{e9}",
        "FRO\u{e9}:<>",
    ] {
        assert_eq!(sender(argument), Err(Reply::SYNTAX), "{argument:?}");
    }
    for argument in ["FROM:<a>", "FROM:<a@>", "FROM:<a@b", "FROM:<\"a>@b", "FROM:<a b@c>", "FROM:< >", "FROM:<a\0@b>"] {
        assert_eq!(sender(argument), Err(Reply::BAD_SENDER_ADDRESS), "{argument:?}");
    }
    assert_eq!(recipient("TO:<>"), Err(Reply::BAD_ADDRESS));
    assert_eq!(recipient("TO:a@b"), Err(Reply::SYNTAX));
    assert_eq!(parse_mail(b"FROM:<\xff@b>"), Err(Reply::SYNTAX));
}

#[test]
fn mail_parameters_are_kept() {
    let request = mail("FROM:<> SIZE=10 body=8bitmime SMTPUTF8 RET=hdrs ENVID=a+2Bb AUTH=<>").unwrap();
    assert_eq!((request.size_octets, request.body, request.smtputf8), (Some(10), BodyKind::EightBit, true));
    assert_eq!((request.ret, request.envelope_id.unwrap().decode()), (Some(Return::Headers), "a+b".to_owned()));
    let request = mail("FROM:<>   BODY=7BIT  ").unwrap();
    assert_eq!((request.size_octets, request.body, request.smtputf8), (None, BodyKind::SevenBit, false));
    assert_eq!(mail("FROM:<> BODY=binarymime").unwrap().body, BodyKind::Binary);
    assert_eq!(mail("FROM:<> SIZE=99999999999999999999").unwrap().size_octets, Some(u64::MAX));
}

#[test]
fn dsn_parameters_are_kept_rfc_3461_4() {
    let request = rcpt("TO:<a@b> NOTIFY=delay,Success ORCPT=rfc822;x+40y@b").unwrap();
    assert_eq!(request.notify.unwrap().to_string(), "SUCCESS,DELAY");
    assert_eq!(request.original_recipient.unwrap().to_string(), "rfc822;x+40y@b");
    assert_eq!(rcpt("TO:<a@b> NOTIFY=NEVER").unwrap().notify.unwrap().to_string(), "NEVER");
    assert_eq!(rcpt("TO:<a@b> ORCPT=utf-8;\u{e9}@b").unwrap().original_recipient.unwrap().to_string(), "utf-8;\u{e9}@b");
    assert_eq!(Xtext::parse("+c3+A9+3D~").unwrap().decode(), "\u{e9}=~");
}

#[test]
fn unknown_parameters_rfc_5321_4_1_1_11() {
    for parameter in ["X", "X=1", "NOTIFY=NEVER", "XREQUIRETLS", "-=1"] {
        let reply = if parameter == "-=1" { Reply::SYNTAX } else { Reply::UNKNOWN_PARAMETER };
        assert_eq!(mail(&format!("FROM:<> {parameter}")), Err(reply), "{parameter}");
    }
    assert_eq!(rcpt("TO:<a@b> SIZE=1"), Err(Reply::UNKNOWN_PARAMETER));
}

#[test]
fn bad_parameter_values_rfc_5321_4_1_1_11() {
    for parameter in [
        "SIZE",
        "SIZE=",
        "SIZE=-1",
        "SIZE=+1",
        "SIZE=a",
        "SIZE=123456789012345678901",
        "BODY",
        "BODY=9BIT",
        "SMTPUTF8=1",
        "RET=ALL",
        "ENVID",
        "ENVID=a+0Ab",
        "ENVID=+",
        "ENVID=+4",
        "ENVID=+4x",
        "ENVID=\u{e9}",
        "AUTH",
        "AUTH=a=b",
        "AUTH=+4",
        "=1",
        "=",
        "S\tIZE=1",
        "SIZE=1\t",
    ] {
        assert_eq!(mail(&format!("FROM:<> {parameter}")), Err(Reply::SYNTAX), "{parameter}");
    }
    assert_eq!(mail(&format!("FROM:<> ENVID={}", "a".repeat(101))), Err(Reply::SYNTAX));
    for parameter in [
        "NOTIFY",
        "NOTIFY=",
        "NOTIFY=NEVER,DELAY",
        "NOTIFY=,",
        "NOTIFY=A",
        "ORCPT=a",
        "ORCPT=;a",
        "ORCPT=rfc822;",
        "ORCPT=rfc822;+4",
    ] {
        assert_eq!(rcpt(&format!("TO:<a@b> {parameter}")), Err(Reply::SYNTAX), "{parameter}");
    }
}

#[test]
fn duplicate_parameters_rfc_5321_4_1_1_11() {
    for parameter in ["SIZE=1", "BODY=7BIT", "SMTPUTF8", "RET=FULL", "ENVID=a", "AUTH=<>"] {
        assert_eq!(mail(&format!("FROM:<> {parameter} {}", parameter.to_lowercase())), Err(Reply::SYNTAX), "{parameter}");
    }
    for parameter in ["NOTIFY=NEVER", "ORCPT=rfc822;a"] {
        assert_eq!(rcpt(&format!("TO:<a@b> {parameter} {parameter}")), Err(Reply::SYNTAX), "{parameter}");
    }
}

#[test]
fn addresses_beyond_ascii_need_smtputf8_rfc_6531_3_5() {
    assert_eq!(sender("FROM:<\u{e9}@b>"), Err(Reply::NEEDS_SMTPUTF8));
    assert_eq!(sender("FROM:<a@\u{e9}.example>"), Err(Reply::NEEDS_SMTPUTF8));
    assert_eq!(sender("FROM:<\u{e9}@b> SMTPUTF8").as_deref(), Ok("\u{e9}@b"));
    assert_eq!(recipient("TO:<\u{e9}@b>"), Err(Reply::NEEDS_SMTPUTF8));
    assert!(parse_rcpt("TO:<\u{e9}@b>".as_bytes(), true).is_ok());
}

#[test]
fn hello_names_rfc_5321_4_1_1_1() {
    for name in ["client.example", "localhost", "my_pc", "[192.0.2.1]", "[IPv6:2001:db8::1]", "192.0.2.1", "[2001:db8::1]", "::1"]
    {
        assert_eq!(parse_hello(name.as_bytes()).as_deref(), Ok(name));
    }
    assert_eq!(parse_hello(b"Client.EXAMPLE.").as_deref(), Ok("client.example"));
    for name in ["", "a b", "<a>", "a..b", "[a]", "[1.2.3]", "a\tb", "-", "(comment)", "a@b"] {
        assert_eq!(parse_hello(name.as_bytes()), Err(Reply::SYNTAX), "{name:?}");
    }
    assert_eq!(parse_hello(b"\xff"), Err(Reply::SYNTAX));
}

#[test]
fn chunk_sizes_rfc_3030_2() {
    assert_eq!(parse_bdat(b"10"), Some((10, false)));
    assert_eq!(parse_bdat(b"0  last"), Some((0, true)));
    for argument in ["", "-1", "+1", "a", "1 FIRST", "1 LAST LAST", "18446744073709551616", " LAST"] {
        assert_eq!(parse_bdat(argument.as_bytes()), None, "{argument:?}");
    }
}

#[test]
fn auth_arguments_rfc_4954_4() {
    assert_eq!(parse_auth(b"PLAIN"), Ok(("PLAIN", None)));
    assert_eq!(parse_auth(b"PLAIN  ="), Ok(("PLAIN", Some(&b"="[..]))));
    assert_eq!(parse_auth(b""), Err(Reply::SYNTAX));
    assert_eq!(parse_auth(b"PLAIN a b"), Err(Reply::SYNTAX));
}

proptest! {
    #[test]
    fn no_argument_panics(argument in proptest::collection::vec(any::<u8>(), 0..60), text in "(FROM|TO):<[ -~é]{0,20}>[ -~é]{0,30}") {
        for argument in [&argument[..], text.as_bytes()] {
            let _ = (parse_mail(argument), parse_rcpt(argument, true), parse_hello(argument), parse_bdat(argument), parse_auth(argument));
            split(argument);
        }
    }

    #[test]
    fn xtext_of_any_kind_decodes(text in "[a-z+=0-9A-F]{0,12}") {
        if let Some(xtext) = Xtext::parse(&text) {
            prop_assert!(!xtext.decode().is_empty());
        }
    }
}
