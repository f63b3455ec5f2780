//! The command line of sendmail, as Sendmail and Postfix read it. What has no meaning here is taken and ignored, as programs count
//! on; what would mean something else is refused.

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// What to do.
    pub mode: Mode,
    /// `-f`, `-r`: the sender; empty or `<>` for the null path.
    pub from: Option<String>,
    /// `-F`: the sender's name in a From field that has to be made.
    pub full_name: Option<String>,
    /// `-t`: recipients stand in the header too.
    pub from_header: bool,
    /// `-i`, `-oi`: a line with a dot alone is text.
    pub ignore_dots: bool,
    /// `-N`: NOTIFY (RFC 3461 4.1).
    pub notify: Option<String>,
    /// `-V`: ENVID (RFC 3461 4.4).
    pub envelope_id: Option<String>,
    /// `-R full` (RFC 3461 4.3).
    pub whole: bool,
    /// Recipients.
    pub recipients: Vec<String>,
}

/// `-b`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// `-bm`, or nothing: a message on standard input.
    #[default]
    Deliver,
    /// `-bs`: SMTP on standard input.
    Dialogue,
    /// `-bp`: as mailq.
    ListQueue,
    /// `-bi`, `-I`: as newaliases.
    NewAliases,
}

/// Options with a value that means nothing here.
const IGNORED_WITH_VALUE: &str = "ABCLOXdhpo";
/// Options without one.
const IGNORED: &str = "GEUcemnvx";

/// Reads them.
///
/// # Errors
/// What is wrong, in one sentence.
pub fn parse(arguments: &[String]) -> Result<Arguments, String> {
    let mut parsed = Arguments::default();
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(options) = argument.strip_prefix('-').filter(|options| !options.is_empty()) else {
            parsed.recipients.push(argument.clone());
            continue;
        };
        if options == "-" {
            parsed.recipients.extend(rest.by_ref().cloned());
            break;
        }
        let mut letters = options.char_indices();
        while let Some((at, letter)) = letters.next() {
            let behind = &options[at + letter.len_utf8()..];
            let mut value = || match behind {
                "" => rest.next().cloned().ok_or_else(|| format!("-{letter} wants a value")),
                behind => Ok(behind.to_owned()),
            };
            match letter {
                't' => parsed.from_header = true,
                'i' => parsed.ignore_dots = true,
                'I' => parsed.mode = Mode::NewAliases,
                'f' | 'r' => parsed.from = Some(value()?),
                'F' => parsed.full_name = Some(value()?),
                'N' => parsed.notify = Some(value()?),
                'V' => parsed.envelope_id = Some(value()?),
                'R' => parsed.whole = value()?.eq_ignore_ascii_case("full"),
                'b' => parsed.mode = mode(&value()?)?,
                'o' if behind == "i" => parsed.ignore_dots = true,
                // Its value may be left out.
                'q' => return Err("the daemon runs the queue; `posternd queue flush` tries messages now".to_owned()),
                letter if IGNORED_WITH_VALUE.contains(letter) => drop(value()?),
                letter if IGNORED.contains(letter) => continue,
                letter => return Err(format!("-{letter} is no option of sendmail")),
            }
            if !matches!(letter, 't' | 'i' | 'I') {
                break;
            }
        }
    }
    Ok(parsed)
}

fn mode(letter: &str) -> Result<Mode, String> {
    match letter {
        "m" => Ok(Mode::Deliver),
        "s" => Ok(Mode::Dialogue),
        "p" => Ok(Mode::ListQueue),
        "i" => Ok(Mode::NewAliases),
        "d" | "D" => Err("the daemon is started by `posternd run`".to_owned()),
        "v" => Err("`postern explain SITE --to ADDRESS` shows what becomes of an address".to_owned()),
        letter => Err(format!("-b{letter} is no mode of sendmail")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, String> {
        parse(&line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn what_programs_write() {
        let arguments = parsed("-t -oi -f alice@example.com -F Alice").unwrap();
        assert!(arguments.from_header && arguments.ignore_dots);
        assert_eq!((arguments.from.as_deref(), arguments.full_name.as_deref()), (Some("alice@example.com"), Some("Alice")));
        // PHP, cron and mutt.
        assert!(parsed("-t -i").unwrap().from_header);
        assert_eq!(parsed("-FCronDaemon -i -B8BITMIME -oem root").unwrap().recipients, ["root"]);
        let arguments = parsed("-oem -oi -f alice@example.com -N failure,delay -- bob@example.com -x").unwrap();
        assert_eq!(arguments.recipients, ["bob@example.com", "-x"]);
        assert_eq!(arguments.notify.as_deref(), Some("failure,delay"));
        assert_eq!(parsed("-tif <> a").unwrap().from.as_deref(), Some("<>"));
        assert_eq!(parsed("-bs").unwrap().mode, Mode::Dialogue);
        assert_eq!(parsed("-bp -v").unwrap().mode, Mode::ListQueue);
    }

    #[test]
    fn what_means_something_else_is_refused() {
        for (line, why) in [("-bd", "posternd run"), ("-q30m", "queue flush"), ("-f", "wants a value"), ("-Z", "no option")] {
            assert!(parsed(line).unwrap_err().contains(why), "{line}");
        }
    }
}
