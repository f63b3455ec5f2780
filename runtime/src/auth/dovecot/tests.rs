//! The client against a Dovecot that is a few lines; the real one is asked by `tests/tests/dovecot.rs`.

use super::*;
use tempfile::TempDir;
use tokio::net::UnixListener;

const GREETING: &str = "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nMECH\tANONYMOUS\tanonymous\n\
    MECH\tEXTERNAL\tprivate\nMECH\tSCRAM-SHA-256-PLUS\nMECH\tlower\nSPID\t7\nCUID\t1\nCOOKIE\tabc\nDONE\n";

/// A Dovecot that says these lines, each but the greeting after it has read one, and keeps what it read.
fn fake(lines: &'static [&'static str]) -> (TempDir, String, tokio::task::JoinHandle<Vec<String>>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("auth").to_string_lossy().into_owned();
    let listener = UnixListener::bind(&socket).unwrap();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut side = Conversation { socket: "".into(), stream, buffer: Vec::new() };
        let mut heard = vec![side.line().await.unwrap(), side.line().await.unwrap()];
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                heard.push(side.line().await.unwrap());
            }
            side.stream.write_all(line.as_bytes()).await.unwrap();
        }
        heard
    });
    (folder, socket, heard)
}

fn client() -> IpAddr {
    "192.0.2.1".parse().unwrap()
}

#[tokio::test]
async fn an_exchange_with_a_challenge() {
    let (_folder, socket, heard) = fake(&[GREETING, "CONT\t1\tPDFAeD4=\n", "WHATEVER\t9\nOK\t1\tuser=al\u{1}tice@example.com\n"]);
    let (mut conversation, mechanisms) = Conversation::open(&socket).await.unwrap();
    assert_eq!(mechanisms.iter().map(|name| &**name).collect::<Vec<_>>(), ["PLAIN", "CRAM-MD5"]);
    assert_eq!(conversation.begin("CRAM-MD5", client(), None).await.unwrap(), Step::Challenge(b"<1@x>".to_vec()));
    let error = conversation.respond(b"alice 00").await.unwrap_err().to_string();
    assert!(error.contains("it says yes to nobody"), "{error}");
    let heard = heard.await.unwrap();
    assert!(heard[0] == "VERSION\t1\t2" && heard[1].starts_with("CPID\t"), "{heard:?}");
    assert_eq!(heard[2], "AUTH\t1\tCRAM-MD5\tservice=smtp\tnologin\tsecured\trip=192.0.2.1");
    assert_eq!(heard[3], "CONT\t1\tYWxpY2UgMDA=");
}

#[tokio::test]
async fn yes_by_another_name_and_no() {
    let (_folder, socket, heard) = fake(&[GREETING, "OK\t1\tuser=alice\toriginal_user=Alice\n"]);
    let (mut conversation, _) = Conversation::open(&socket).await.unwrap();
    let step = conversation.begin("PLAIN", client(), Some(b"\0Alice\0x")).await.unwrap();
    assert_eq!(step, Step::Yes("alice".into()));
    assert!(heard.await.unwrap()[2].ends_with("\trip=192.0.2.1\tresp=AEFsaWNlAHg="));
    for no in ["FAIL\t1\tuser=alice\tcode=user_disabled\treason=gone\n", "OK\t1\tuser=alice\tnologin\treason=gone\n"] {
        let lines: &'static [&'static str] = Box::leak(vec![GREETING, no].into_boxed_slice());
        let (_folder, socket, _) = fake(lines);
        let (mut conversation, _) = Conversation::open(&socket).await.unwrap();
        assert_eq!(conversation.begin("PLAIN", client(), Some(b"")).await.unwrap(), Step::No("alice".into()));
    }
}

#[tokio::test]
async fn what_is_no_decision_is_an_error_and_never_a_no() {
    for (said, why) in [
        ("FAIL\t1\tuser=alice\ttemp\n", "cannot decide now"),
        ("FAIL\t1\tuser=alice\tcode=temp_fail\n", "cannot decide now"),
        ("FAIL\t2\tuser=alice\n", "answers what was not asked"),
        ("OK\t1\n", "says yes to nobody"),
        ("CONT\t1\t!\n", "is no base64"),
        ("", "closed the connection"),
    ] {
        let lines: &'static [&'static str] = Box::leak(vec![GREETING, said].into_boxed_slice());
        let (_folder, socket, _) = fake(lines);
        let (mut conversation, _) = Conversation::open(&socket).await.unwrap();
        let error = conversation.begin("PLAIN", client(), Some(b"")).await.unwrap_err().to_string();
        assert!(error.contains(why) && error.contains(&socket), "{said:?}: {error}");
    }
}

#[tokio::test]
async fn what_is_no_dovecot_is_said_to_be_none() {
    let endless: &'static str = Box::leak("x".repeat(1 << 17).into_boxed_str());
    for (said, why) in [
        ("VERSION\t2\t0\nDONE\n", "another version"),
        ("DONE\n", "does not greet"),
        ("220 mail.example.com ESMTP\r\n", "closed the connection"),
        (endless, "no end"),
    ] {
        let lines: &'static [&'static str] = Box::leak(vec![said].into_boxed_slice());
        let (_folder, socket, _) = fake(lines);
        let error = Conversation::open(&socket).await.err().unwrap().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
    let error = Conversation::open("/nowhere/auth-client").await.err().unwrap().to_string();
    assert!(error.contains("is it running"), "{error}");
}

#[tokio::test]
async fn mechanisms_are_asked_for_once_and_kept_while_dovecot_is_away() {
    let dovecot = Dovecot::default();
    let (folder, socket, _) = fake(&[GREETING]);
    let first = dovecot.mechanisms(&socket).await.unwrap();
    assert_eq!(first.len(), 2);
    drop(folder);
    assert_eq!(dovecot.mechanisms(&socket).await.as_ref(), Some(&first));
    dovecot.known.lock().unwrap().values_mut().for_each(|known| known.until = Instant::now());
    assert_eq!(dovecot.mechanisms(&socket).await, Some(first));
    assert_eq!(dovecot.mechanisms("/nowhere/auth").await, None);
}
