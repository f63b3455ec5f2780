//! Every code that the front end reports under, with what it means: the text of `postern rule CODE` for those that are no rule
//! of the site but of the language. Codes are never reused.

use crate::report::Severity;

/// A code and its meaning.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Three letters, three digits.
    pub code: &'static str,
    /// Its name, in kebab-case.
    pub name: &'static str,
    /// How bad it is, where it is at its worst.
    pub severity: Severity,
    /// What it says, why it matters, what to do: one paragraph.
    pub explain: &'static str,
}

const fn code(code: &'static str, name: &'static str, explain: &'static str) -> Code {
    Code { code, name, severity: Severity::Error, explain }
}

const fn warning(code: &'static str, name: &'static str, explain: &'static str) -> Code {
    Code { code, name, severity: Severity::Warning, explain }
}

/// In order.
pub const CODES: &[Code] = &[
    code(
        "INC001",
        "include-missing",
        "An `include` names a file that does not exist, or a glob that matches none. Where that is fine, say `optional=#true`.",
    ),
    code("INC002", "include-circle", "A file includes itself, by way of others. The chain is shown."),
    code(
        "INC003",
        "include-outside",
        "An `include` leads out of the folder of the site file, by its path or by a symbolic link. A site is one folder, so that it means the same everywhere.",
    ),
    code(
        "INC004",
        "include-unreadable",
        "An included file cannot be read: it is a folder, is not UTF-8, is over 64 MiB, or may not be opened.",
    ),
    code("INC005", "include-twice", "A file is included twice, which would declare everything in it twice."),
    code(
        "INC006",
        "include-limit",
        "Includes are nested deeper than 8, or all files together are over 256 MiB or more than 65,534.",
    ),
    code("JSN001", "not-json", "The text of a JSON twin is no JSON (RFC 8259): no comments, no last comma, no single quotes."),
    code("JSN002", "member-twice", "A name stands twice in one object. Nodes of one name are an array."),
    code("JSN003", "wrong-shape", "An array or object stands where a single value belongs, or the other way round."),
    code("JSN004", "argument-left-out", "A node of the JSON twin has a later argument but lacks an earlier one."),
    code("KDL001", "not-kdl", "The text cannot be read as KDL, and no hint knows why. The place is where the parser stopped."),
    code("KDL002", "too-deep", "Blocks are nested deeper than 32, far beyond any site: usually a generator that does not end."),
    code(
        "KDL010",
        "unquoted-address",
        "An IP address or network stands without quotes. KDL reads a word that begins with a digit as a number.",
    ),
    code(
        "KDL011",
        "unquoted-quantity",
        "A duration, size or rate stands without quotes. KDL reads a word that begins with a digit as a number.",
    ),
    code(
        "KDL012",
        "unquoted-text",
        "A path, URL or other text with signs in it stands without quotes. In a URL, KDL takes `//` for the start of a comment and silently drops what follows.",
    ),
    code(
        "KDL013",
        "bare-keyword",
        "`true`, `false` and `null` are written with a `#` since KDL 2; a text of that name needs quotes.",
    ),
    code("KDL014", "unknown-keyword", "A `#` stands before a word that is no keyword. There are #true, #false and #null."),
    code("KDL015", "leading-zero", "A number with a leading zero looks octal but is read as decimal: `0644` is 644."),
    code("KDL017", "foreign-quotes", "Single or typographic quotes are part of the value in KDL; only `\"` begins a string."),
    code("KDL018", "comma", "Values are separated by blanks. A comma would become part of the value."),
    code("KDL019", "stray-semicolon", "A `;` ends a statement; here is none to end."),
    code(
        "KDL020",
        "assignment",
        "`key = value` is how `main.cf` puts it. A site file has `key \"value\"`, and blocks in place of most keys.",
    ),
    code("KDL021", "hash-comment", "`#` begins no comment in KDL; `//` does."),
    code("KDL022", "old-raw-string", "`r\"…\"` is a raw string of KDL 1. KDL 2 writes `#\"…\"#`."),
    code("KDL023", "annotation", "Types in parentheses are part of KDL but mean nothing in a site."),
    code(
        "KDL024",
        "open-string",
        "A string has no closing quote on its line. A text of several lines stands between three quotes.",
    ),
    code("KDL025", "open-comment", "A comment that began with `/*` never ends, so that everything behind it is lost."),
    code(
        "KDL026",
        "unknown-escape",
        "A backslash in a string stands before a character that makes no escape. Patterns are best written raw: `#\"\\w+\"#`.",
    ),
    code("KDL027", "missing-blank", "Two values, or a name and its value, stand side by side without a blank."),
    code("KDL028", "half-property", "An `=` stands without a name before it or without a value behind it."),
    code("KDL029", "open-block", "A `{` has no `}`. The layout of the file tells which one it is, as far as it can."),
    code("KDL030", "surplus-brace", "A `}` closes nothing."),
    code("KDL031", "loose-block", "A `{` begins a line. In KDL it belongs at the end of the line with the block's name."),
    code("KDL032", "text-behind-block", "Something follows a `}` on the same line. A `;` or a new line must stand between."),
    code(
        "KDL033",
        "illegal-character",
        "A control character or one that turns the direction of writing stands in the file, so that a reader would not see what the compiler sees.",
    ),
    code("KDL034", "value-as-name", "A line begins with a value where a name belongs."),
    code("KDL035", "three-quotes", "Three quotes begin a text of several lines: the line must end right behind them."),
    code("KDL036", "second-block", "A statement has two blocks."),
    code(
        "KDL037",
        "bracketed-host",
        "`[host]:587` is how Postfix writes a relay. A site file has `host=\"…\" port=587`; MX records of a relay are never looked up.",
    ),
    code("KDL038", "stray-slashdash", "`/-` takes out the node, value or block behind it; here is nothing behind it."),
    code("LET001", "constant-twice", "A constant is declared twice. Only a `profile` may give it another value."),
    code("LET002", "undefined-constant", "A text has `{name}` in it, and there is no constant of that name."),
    warning("LET003", "unused-constant", "No text names the constant."),
    code(
        "LET004",
        "constant-name",
        "The name of a constant is a letter, then letters, digits, `-` and `_`. `{domain}` and `{user}` have a meaning of their own.",
    ),
    code(
        "LNG001",
        "unknown-node",
        "There is no block or setting of that name here. The nearest known name is suggested, or where the name belongs.",
    ),
    code("LNG002", "unknown-property", "The block has no property of that name."),
    code("LNG003", "unknown-word", "The value is none of the words that may stand there."),
    code("LNG004", "missing-argument", "A node lacks a value that must follow its name."),
    code("LNG005", "surplus-argument", "A node has more values than it takes. A property takes the one value behind its `=`."),
    code(
        "LNG006",
        "wrong-kind",
        "The value is of another kind than belongs there: a number in place of a text, a word in place of a truth value.",
    ),
    code(
        "LNG007",
        "malformed-value",
        "The value is of the right kind but cannot be read: a duration without a unit, a network with bits beyond its prefix, a mail address without `@`.",
    ),
    code("LNG008", "stands-once", "A block or setting stands twice where it may stand once. Neither silently wins."),
    code("LNG009", "property-twice", "A property is given twice. KDL would let the last one win; a site does not guess."),
    code("LNG010", "missing-node", "A block lacks a setting that it must have."),
    code("LNG011", "missing-property", "A node lacks a property that it must have, or one of several of which it needs one."),
    code(
        "LNG012",
        "not-yet-served",
        "The language has the word, but this version of the runtime does not do what it says. It is refused rather than ignored.",
    ),
    code("LNG013", "no-block-here", "The node takes no block."),
    code(
        "LNG014",
        "main-cf-parameter",
        "The name is a parameter of Postfix's `main.cf`. The help says which block does its work.",
    ),
    code("LNG015", "exclusive-properties", "Two properties exclude each other."),
    code(
        "LNG018",
        "not-a-secret-name",
        "A secret is named, never written: the name is that of a file in the credentials folder. What stands here cannot be such a name and may be the secret itself.",
    ),
    code(
        "LNG019",
        "private-key",
        "A private key stands in the site file, where everybody who can read the repository can read it. Consider it lost, and make a new one.",
    ),
    code("PRF001", "unknown-profile", "The profile that was asked for is declared nowhere."),
];
