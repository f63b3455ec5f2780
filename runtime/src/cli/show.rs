//! Answers of the daemon as text for people. Programs ask for JSON, which is the answer itself.

use crate::queue::date;
use serde_json::Value;

/// `name: value` a line; nested objects indented, lists one item a line.
pub(super) fn fields(value: &Value) {
    print_fields(value, 0);
}

fn print_fields(value: &Value, indent: usize) {
    let Value::Object(fields) = value else { return };
    for (name, value) in fields {
        match value {
            Value::Object(_) => {
                println!("{:indent$}{name}:", "");
                print_fields(value, indent + 2);
            }
            Value::Array(items) => {
                println!("{:indent$}{name}:", "");
                for item in items {
                    println!("{:indent$}  {}", "", one_line(item));
                }
            }
            value => println!("{:indent$}{name}: {}", "", one_line(value)),
        }
    }
}

fn one_line(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| format!("{name}={}", one_line(value))).collect::<Vec<_>>().join(" ")
        }
        value => value.to_string(),
    }
}

/// One message: what is known of it, then its header, then its text or how much of it there is.
pub(super) fn message(value: &Value) {
    let Value::Object(all) = value else { return };
    let plain = all.iter().filter(|(name, _)| !["header", "body", "body-octets"].contains(&name.as_str()));
    fields(&Value::Object(plain.map(|(name, value)| (name.clone(), value.clone())).collect()));
    println!("\n{}", printable(&value["header"]));
    match &value["body"] {
        Value::String(_) => println!("{}", printable(&value["body"])),
        _ => println!("[{} octets of text, which --body shows]", one_line(&value["body-octets"])),
    }
}

/// Text of a stranger, without what would do something to a terminal.
fn printable(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default().replace("\r\n", "\n");
    let harmless = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { char::REPLACEMENT_CHARACTER } else { c };
    text.trim_end_matches('\n').chars().map(harmless).collect()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// One line for each day and domain.
pub(super) fn reports(value: &Value) {
    for one in items(value) {
        let due = match one["state"].as_str() {
            Some("done") => String::new(),
            _ => format!(", due {}", date::rfc5322(one["due-seconds"].as_u64().unwrap_or_default())),
        };
        let [kind, day, count, domain, state] = ["type", "day", "count", "domain", "state"].map(|name| one_line(&one[name]));
        println!("{kind:<5} {day} {count:>8}  {domain}: {state}{due}");
    }
}

/// A report, below what its message says of it.
pub(super) fn report(value: &Value) {
    let Value::Object(all) = value else { return };
    let plain = all.iter().filter(|(name, value)| *name != "report" && !value.is_null());
    fields(&Value::Object(plain.map(|(name, value)| (name.clone(), value.clone())).collect()));
    println!("\n{}", value["report"].as_str().unwrap_or_default().trim_end());
}

/// What is in force, then the queue as qshape(1) shows it, then why mail waits.
pub(super) fn status(value: &Value) {
    let Value::Object(all) = value else { return };
    let plain = all.iter().filter(|(name, _)| !["peers", "shape"].contains(&name.as_str()));
    fields(&Value::Object(plain.map(|(name, value)| (name.clone(), value.clone())).collect()));
    let shape = &value["shape"];
    let destinations = items(&shape["destinations"]);
    if !destinations.is_empty() {
        let ends: String = items(&shape["ages-minutes"]).iter().map(|end| format!("{:>6}", one_line(end))).collect();
        println!("\nrecipients that wait, by minutes since arrival\n{:<32}{:>7}{ends} {:>6}", "", "total", "more");
        for line in destinations {
            let ages: String = items(&line["ages"]).iter().map(|count| format!("{:>6}", one_line(count))).collect();
            println!("{:<32}{:>7}{ages}", one_line(&line["destination"]), one_line(&line["recipients"]));
        }
        println!("\nwhy the oldest of each waits");
        for line in destinations {
            let head = &line["head"];
            let reason = head["reason"].as_str().unwrap_or("not tried yet");
            let (destination, id) = (one_line(&line["destination"]), one_line(&head["id"]));
            let (age, next) = (one_line(&head["age-seconds"]), one_line(&head["next-attempt-seconds"]));
            println!("{destination}: {id}, {age} s old, tried again in {next} s: {reason}");
        }
    }
    let peers = items(&value["peers"]);
    if !peers.is_empty() {
        println!("\npeers: sessions of as many as there may be, and the limit that binds");
        for peer in peers {
            let why = peer["last-failure"].as_str().map_or(String::new(), |why| format!(": {why}"));
            let (name, binds) = (one_line(&peer["peer"]), one_line(&peer["binds"]));
            println!("{name}  {}/{}  {binds}{why}", one_line(&peer["sessions"]), one_line(&peer["session-limit"]));
        }
    }
}

/// Messages with those whom they wait for.
pub(super) fn queue(value: &Value) {
    let messages = items(value);
    for message in messages {
        let field = |name: &str| one_line(&message[name]);
        println!("{}  {:<8}  {:>9}  <{}>", field("id"), field("state"), field("octets"), field("from"));
        for recipient in items(&message["to"]) {
            println!("    to <{}>", one_line(&recipient["address"]));
            if let Some(reason) = recipient["reason"].as_str() {
                println!("       {reason}");
            }
        }
    }
    println!("{} message{} in the queue", messages.len(), if messages.len() == 1 { "" } else { "s" });
}

/// The same as mailq(1) of Postfix has it, which people and their scripts know by heart.
pub(super) fn mailq(value: &Value) {
    let messages = items(value);
    if messages.is_empty() {
        return println!("Mail queue is empty");
    }
    println!("{:<17} {:>8} {:<19}  -Sender/Recipient-------", "----Queue ID-----", "--Size--", "---Arrival Time----");
    let mut octets = 0;
    for message in messages {
        let mark = match message["state"].as_str() {
            Some("active") => "*",
            Some("hold") => "!",
            _ => " ",
        };
        octets += message["octets"].as_u64().unwrap_or_default();
        let id = format!("{}{mark}", one_line(&message["id"]));
        let arrival = date::mailq(message["arrival-ms"].as_u64().unwrap_or_default() / 1000);
        let from = message["from"].as_str().filter(|from| !from.is_empty()).unwrap_or("MAILER-DAEMON");
        println!("{id:<17} {:>8} {arrival:<19}  {from}", one_line(&message["octets"]));
        let mut last = None;
        for recipient in items(&message["to"]) {
            let reason = recipient["reason"].as_str();
            if let Some(reason) = reason.filter(|_| last != reason) {
                println!("{:>75}", format!("({reason})"));
            }
            last = reason;
            println!("{:47} {}", "", one_line(&recipient["address"]));
        }
        println!();
    }
    let requests = if messages.len() == 1 { "Request" } else { "Requests" };
    println!("-- {} Kbytes in {} {requests}.", octets.div_ceil(1024), messages.len());
}

/// One event a line, in the order of time.
pub(super) fn trace(events: &[Value]) {
    for event in events {
        let Value::Object(all) = event else { continue };
        let hidden = ["timestamp", "level", "message", "recording"];
        let shown = all.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
        let rest: Vec<String> = shown.map(|(name, value)| format!("{name}={}", one_line(value))).collect();
        println!("{}  {:<15}  {}", one_line(&event["timestamp"]), one_line(&event["message"]), rest.join(" "));
        event["recording"].as_str().unwrap_or_default().lines().for_each(|line| println!("    {line}"));
    }
}
