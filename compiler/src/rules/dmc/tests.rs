//! Who signs mail of a domain and what vouches for it, beyond the examples of the pages: what SPF, DKM and DMC rules say of whole
//! sites, on every way out.

use crate::compile::{CompileOptions, compile};
use crate::rules::chk::Checker;

const KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnX3xiQIo2cIX1f1Y3hua
cttOWScZkgeDmdAYS7BFk1JFtavxjQg0ExJW7X7VutOQ6SjoNUTOppC66eFh4690
VuMRtKzmT0IRICVZygiYHoh964miZnYKF14DaNz6h884EhG3dOC162EanVHxt1GG
8DerfvlI3VGOH+L934J8P7WT0c/HkW2uCWt2CybuioJnt3WVZ8wRfBJHYm+O8N2P
/oFgr4WwUan0iB1X9QbC6kUmh9HievCMlxFUZfy3BsGFnydUvimYV9+2IGWwCvJA
FGBssGIiKPskqENO5YG9QTdojnUc9aQtZV6FkDEnJQVFi6LDUxaiXps51AvN5YuL
EwIDAQAB
-----END PUBLIC KEY-----
";
const ED25519: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA4fzcidEE8FnZXij7KMFtj4xEpL+AJMVxZO7mrxbaROc=
-----END PUBLIC KEY-----
";

/// What the rules on SPF, DKIM and DMARC say of a site of these domains and routes: code and message.
fn said(lines: &str, checkers: &[Checker]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("r.pub"), KEY).unwrap();
    std::fs::write(folder.path().join("e.pub"), ED25519).unwrap();
    let key = |selector: &str, state: &str| {
        format!("dkim \"{selector}\" algorithm=\"rsa-sha256\" public-key=\"r.pub\" key-secret=\"d\" state=\"{state}\"")
    };
    let lines = lines
        .replace("KEY", &key("2026a", "active"))
        .replace("WAITING", &key("2026b", "publish"))
        .replace("OLD", &key("2025a", "retired"))
        .replace("ELLIPTIC", "dkim \"2026e\" algorithm=\"ed25519-sha256\" public-key=\"e.pub\" key-secret=\"e\" state=\"active\"")
        .replace("ALICE", "mailbox \"alice\"; alias \"abuse\" \"alice\"")
        .replace("STRICT", "dmarc policy=\"reject\" reports=\"mailto:alice@example.com\"")
        .replace("MILD", "dmarc policy=\"none\" reports=\"mailto:alice@example.com\"")
        .replace("DIRECT", "route to=\"*\" via=\"direct\"")
        .replace("USERS", "listen \"submissions\"; users \"staff\" { passwd secret=\"users\"; }");
    let head = "site \"mail.example.com\" { postmaster \"alice@example.com\"; address \"203.0.113.25\" \"2001:db8::25\"; }\n\
                tls { self-signed; }\nlisten \"mx\"\n";
    let path = folder.path().join("site.kdl");
    std::fs::write(&path, format!("{head}{lines}\n")).unwrap();
    let options = CompileOptions { checkers: checkers.to_vec(), ..CompileOptions::default() };
    let compiled = compile(&path, &options).unwrap();
    let meant = |code: &str| ["SPF", "DKM", "DMC"].iter().any(|family| code.starts_with(family));
    let others: Vec<_> = compiled.diagnostics.iter().filter(|finding| !meant(finding.code)).collect();
    assert!(!checkers.is_empty() || others.is_empty(), "{others:#?}");
    let own = compiled.diagnostics.iter().filter(|finding| meant(finding.code));
    own.map(|finding| format!("{}: {}", finding.code, finding.message)).collect()
}

#[track_caller]
fn says(lines: &str, expected: &[&str]) {
    assert_eq!(said(lines, &[]), expected, "{lines}");
}

#[test]
fn the_key_of_a_domain_above_signs_too() {
    let sites = |below: &str| {
        format!("domain \"example.com\" {{ ALICE; KEY; STRICT; }}\ndomain \"shop.example.com\" {{ ALICE; {below}; }}\nDIRECT")
    };
    says(&sites("STRICT"), &[]);
    says(&sites("MILD"), &[]);
    // Not one beside it.
    let beside = "domain \"example.com\" { ALICE; KEY; STRICT; }\ndomain \"example.org\" { ALICE; STRICT; }\nDIRECT";
    says(beside, &["DMC001: Nobody signs mail of example.org, and its policy is `reject`"]);
}

#[test]
fn a_relay_signs_if_its_backup_does() {
    let site = |keys: &str, two: &str| {
        format!(
            "domain \"example.com\" {{ ALICE; {keys} }}\n\
             relay \"ses\" host=\"smtp.ses.example\" port=587 {{ spf-include \"ses.example\"; signs-dkim; backup \"two\"; }}\n\
             relay \"two\" host=\"smtp.two.example\" port=587 {{ spf-include \"two.example\"; {two} }}\nroute to=\"*\" via=\"ses\""
        )
    };
    says(&site("STRICT", "signs-dkim"), &[]);
    says(&site("KEY; STRICT", ""), &[]);
    says(&site("STRICT", ""), &["DMC001: Nobody signs mail of example.com, and its policy is `reject`"]);
    says(&site("MILD", ""), &["DKM012: Mail of example.com is not signed with DKIM"]);
    let three = "relay \"three\" host=\"three.example\" port=587 { spf-include \"three.example\"; }\nroute to=\"x.example\" via=\"three\"";
    let both = format!("{three}\n{}", site("STRICT", "signs-dkim"));
    let found = said(&both, &[]);
    assert_eq!(found, ["DMC001: Nobody signs mail of example.com that leaves by \"three\", and its policy is `reject`"]);
}

#[test]
fn a_key_that_signs_nothing_yet_is_none() {
    let site = |lines: &str| format!("domain \"example.com\" {{ ALICE; {lines} }}\nDIRECT");
    says(&site("MILD; WAITING"), &["DKM012: Mail of example.com is not signed with DKIM: no key is active"]);
    says(&site("MILD; OLD"), &["DKM012: Mail of example.com is not signed with DKIM: no key is active"]);
    says(&site("MILD; OLD; KEY"), &[]);
    says(&site("ELLIPTIC; WAITING"), &["DKM011: No RSA key of example.com signs, and many receivers verify no other"]);
    says(&site("ELLIPTIC; KEY"), &[]);
}

#[test]
fn spf_covers_backups_and_what_it_provably_does_not_it_does_not() {
    let site = |relays: &str, spf: &str| {
        format!("domain \"example.com\" {{ ALICE; KEY; STRICT; {spf} }}\n{relays}\nroute to=\"*\" via=\"isp\"")
    };
    let isp = |host: &str| format!("relay \"isp\" host=\"{host}\" port=587");
    let backup = "relay \"isp\" host=\"smtp.isp.example\" port=587 { spf-include \"isp.example\"; backup \"two\"; }\n\
                  relay \"two\" host=\"smtp.two.example\" port=587";
    says(&site(backup, ""), &["SPF007: Nobody says from which addresses two sends, so no SPF record is given for example.com"]);
    says(
        &site(&isp("198.51.100.77"), "spf { address \"198.51.100.5\"; }"),
        &["SPF007: isp is at 198.51.100.77, which the SPF record of example.com does not name"],
    );
    says(&site(&isp("198.51.100.77"), "spf { address \"198.51.100.0/24\"; }"), &[]);
    says(
        &site(&isp("smtp.isp.example"), "spf { include \"_spf.newsletter.test\"; }"),
        &["SPF007: Nobody says from which addresses isp sends: the SPF record of example.com holds nothing of it"],
    );
    says(&site(&isp("smtp.isp.test"), "spf { include \"_spf.isp.test\"; }"), &[]);
}

#[test]
fn a_domain_that_says_nothing_of_dmarc_sends_all_the_same() {
    let domain = "domain \"example.com\" { ALICE; }\n";
    let isp = "relay \"isp\" host=\"smtp.isp.example\" port=587 { login \"u\" secret=\"isp\"; }\nroute to=\"*\" via=\"isp\"";
    let unsaid = "SPF007: Nobody says from which addresses isp sends, so no SPF record is given for example.com";
    let unsigned = "DKM012: Mail of example.com is not signed with DKIM";
    says(&format!("{domain}{isp}"), &[unsaid]);
    says(&format!("{domain}{isp}\nUSERS"), &[unsigned, unsaid]);
    let direct = format!("{domain}DIRECT\nUSERS");
    says(&direct, &[unsigned]);
    let bulk = said(&format!("{domain}{isp}\nUSERS"), &[Checker::BulkSender]);
    let unaligned =
        "DMC007: Nothing vouches for mail of example.com that leaves by \"isp\": SPF comes to none, and no key signs it";
    assert_eq!(bulk, [unsigned, unaligned, unsaid]);
    // One word for all of them.
    let many = format!("{direct}\ndomain \"a.example\" \"b.example\" {{ ALICE; }}\ndomain \"c.example\" {{ ALICE; }}");
    let found = said(&many, &[Checker::M3aawg]);
    assert_eq!(found, ["DKM012: Mail of example.com, and of 2 others is not signed with DKIM"]);
}

#[test]
fn a_rewriting_at_the_way_out_parts_sender_and_author() {
    let site = |rewrite: &str, key: &str| {
        format!(
            "domain \"example.com\" {{ ALICE; MILD; {key} }}\ndomain \"example.org\" {{ ALICE; }}\nrewrite {rewrite} at=\"egress\"\nDIRECT"
        )
    };
    let domain = "\"envelope-sender\" \"@example.com\" \"@example.org\"";
    let unaligned = "DMC007: Nothing vouches for mail of example.com that leaves directly: SPF comes to pass for example.org, which it \
                     leaves with, and no key signs it";
    let unsigned = "DKM012: Mail of example.com is not signed with DKIM";
    says(&site(domain, ""), &[unsigned, unaligned]);
    says(
        &site(&domain.replace("@example.com", "alice@example.com").replace("@example.org", "alice@example.org"), ""),
        &[unsigned, unaligned],
    );
    says(&site(domain, "KEY;"), &[]);
    let below =
        format!("{}\ndomain \"news.example.com\" {{ ALICE; }}", site(&domain.replace("@example.org", "@news.example.com"), ""));
    says(&below, &[unsigned]);
}

#[test]
fn records_of_the_site_are_read_to_their_end() {
    let includes = |from: u8, to: u8| (from..to).map(|n| format!("include \"a{n}.test\"; ")).collect::<String>();
    let site = |first: &str, second: &str| {
        format!(
            "domain \"example.com\" {{ ALICE; spf {{ {first} }}; }}\ndomain \"example.org\" {{ ALICE; spf {{ {second} }}; }}\nDIRECT"
        )
    };
    let six = includes(0, 6);
    says(
        &site(&format!("{} include \"example.org\"", includes(10, 15)), &six),
        &["SPF001: The SPF record of example.com takes 12 lookups, with those of example.org, and 10 is the most"],
    );
    says(&site(&format!("{} include \"example.org\"", includes(10, 13)), &six), &[]);
    says(
        &site("include \"example.org\"", "include \"example.com\""),
        &["SPF004: The SPF record of example.com includes example.org, which includes it again"],
    );
}
