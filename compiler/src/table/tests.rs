//! Every format as its manual has it, and whatever else may stand in a file.

use super::cells::{Column, Records};
use super::*;
use proptest::prelude::*;

fn shown<'a>(rows: impl Iterator<Item = Result<Row<'a>, Fault>>) -> Vec<String> {
    let row = |row: Row<'_>| {
        let values: Vec<&str> = row.values.iter().map(|value| &*value.text).collect();
        format!("{} {} = {}", row.line, row.key.text, values.join(" | "))
    };
    rows.map(|found| found.map_or_else(|fault| format!("{} {:?}", fault.start, fault.kind), row)).collect()
}

#[test]
fn aliases_are_read_as_aliases_5_has_them() {
    let text = "# System aliases\n\npostmaster: root\nroot:\talice,\n\tbob,\n# in between\n   carol\n\
                \"a b\": \"c d\"@example.com\nticket: \"|/usr/bin/ticket -x\", /var/log/t\n\n\
                dev : :include:lists/dev\nlast:alice";
    assert_eq!(
        shown(aliases::rows(text)),
        [
            "3 postmaster = root",
            "4 root = alice | bob | carol",
            "8 \"a b\" = \"c d\"@example.com",
            "9 ticket = \"|/usr/bin/ticket -x\" | /var/log/t",
            "11 dev = :include:lists/dev",
            "12 last = alice",
        ]
    );
}

#[test]
fn destinations_are_told_by_their_first_character() {
    use aliases::Destination::{self, *};
    for (text, expected) in [
        ("alice", Address),
        ("alice@example.com", Address),
        ("\"|a \\\"b\\\"\"", Command("a \"b\"".into())),
        ("|a", Command("a".into())),
        ("/var/mail/x", File("/var/mail/x".into())),
        (":include:/etc/list", Include("/etc/list".into())),
        (":INCLUDE:x", Include("x".into())),
        ("\\alice", Unaliased("alice".into())),
        (":fail:", Special(":fail:".into())),
    ] {
        assert_eq!(Destination::of(&Piece::plain(text, 0)), expected, "{text}");
    }
}

#[test]
fn virtual_and_transport_rows_are_pairs() {
    let text = "info@example.com alice, bob@elsewhere.example\n@example.com\tcatch\n  all@example.com\n\"a b\"@x.example c\n";
    assert_eq!(
        shown(pairs::virtual_rows(text)),
        [
            "1 info@example.com = alice | bob@elsewhere.example",
            "2 @example.com = catch | all@example.com",
            "4 \"a b\"@x.example = c"
        ]
    );
    let text = "example.com smtp:[mail.example]:25\n.example.com :  \n";
    assert_eq!(shown(pairs::transport_rows(text)), ["1 example.com = smtp:[mail.example]:25", "2 .example.com = :"]);
}

#[test]
fn what_cannot_be_read_costs_its_row() {
    let text = "  stray\nfine: x\nno colon\n: x\nnothing:\nopen: \"x\nlast: y\n";
    let rows = shown(aliases::rows(text));
    let fine: Vec<&String> = rows.iter().filter(|row| row.contains(" = ")).collect();
    assert_eq!(fine, ["2 fine = x", "7 last = y"]);
    assert_eq!(rows.len(), 7, "{rows:#?}");
}

const COLUMNS: &[Column] = &[Column { name: "address", required: true }, Column { name: "targets", required: true }];

fn cells(text: &str) -> Vec<String> {
    match Records::new(text, b',', COLUMNS) {
        Err(fault) => vec![format!("{:?}", fault.kind)],
        Ok(records) => records
            .map(|record| match record {
                Ok(record) => {
                    let cells = record.cells.iter().map(|cell| cell.as_ref().map_or("-", |cell| &cell.text));
                    format!("{} {}", record.line, cells.collect::<Vec<_>>().join("|"))
                }
                Err(fault) => format!("{} {:?}", fault.start, fault.kind),
            })
            .collect(),
    }
}

#[test]
fn cells_may_be_quoted_and_columns_in_any_order() {
    let text = "\u{feff}Targets,address\r\n\"alice, \"\"b c\"\"@x.example\" , info\r\n\r\nbob,\"x\"\r\n";
    assert_eq!(cells(text), ["2 info|alice, \"b c\"@x.example", "4 x|bob"]);
}

#[test]
fn a_header_is_needed_and_every_row_has_its_cells() {
    for (text, part) in [
        ("", "has no header"),
        ("\n\n", "has no header"),
        ("a@example.com,b@example.com\n", "has no header"),
        ("address,target\n", "Write `targets`"),
        ("address\n", "has no column `targets`"),
        ("address,targets,address\n", "is there twice"),
        ("address,targets\nx\n", "has 1 cell, and the header has 2"),
        ("address,targets\nx,\"y\n", "not closed"),
        ("address,targets\nx,\"y\"z\n", "behind the closing quote"),
    ] {
        let found = cells(text);
        assert!(found.len() == 1 && found[0].contains(part), "{text:?}: {found:?}");
    }
}

#[test]
fn a_place_is_that_of_the_cell_without_blanks() {
    let text = "address,targets\nx ,  \"y\"\nx,  yy ,\n";
    let mut records = Records::new(text, b',', COLUMNS).unwrap();
    let record = records.next().unwrap().unwrap();
    let at = |cell: &Option<Piece<'_>>| cell.as_ref().map(|cell| &text[cell.start as usize..][..cell.octets as usize]).unwrap();
    assert_eq!(record.cells.iter().map(at).collect::<Vec<_>>(), ["x", "\"y\""]);
}

#[test]
fn what_is_no_text_ends_the_table() {
    let nul = shown(aliases::rows("a: b\nc\0: d\ne: f\n"));
    assert!(nul.len() == 2 && nul[1].contains("NUL"), "{nul:?}");
    let long = format!("a: b\n{}\ne: f\n", "x".repeat(LINE_MAX_OCTETS + 1));
    let long = shown(aliases::rows(&long));
    assert!(long.len() == 2 && long[1].contains("65,536"), "{long:?}");
}

#[test]
fn the_name_of_a_file_tells_its_format() {
    for (path, expected) in [
        ("aliases", Some(Format::Aliases)),
        ("etc/lists.aliases", Some(Format::Aliases)),
        ("x.CSV", Some(Format::Csv)),
        ("virtual", Some(Format::Virtual)),
        ("transport", Some(Format::Transport)),
        ("users.list", Some(Format::List)),
        ("aliases.d/x", None),
        ("aliases.txt", None),
    ] {
        assert_eq!(Format::of_file(path), expected, "{path}");
    }
}

/// Whatever the text, every piece that comes out lies in it.
fn answers(text: &str) -> Result<(), TestCaseError> {
    let inside = |start: u32, octets: u32| text.get(start as usize..(start + octets) as usize).is_some();
    let rows = aliases::rows(text).chain(pairs::virtual_rows(text)).chain(pairs::transport_rows(text)).chain(list::rows(text));
    for row in rows {
        match row {
            Ok(row) => {
                for piece in row.values.iter().chain([&row.key]) {
                    prop_assert!(inside(piece.start, piece.octets), "{piece:?}");
                    aliases::Destination::of(piece);
                }
            }
            Err(fault) => prop_assert!(inside(fault.start, 0), "{fault:?}"),
        }
    }
    for separator in [b',', b'\t'] {
        let text = format!("address,targets\n{text}");
        let Ok(records) = Records::new(&text, separator, COLUMNS) else { continue };
        for cell in records.flatten().flat_map(|record| record.cells).flatten() {
            prop_assert!(text.get(cell.start as usize..(cell.start + cell.octets) as usize).is_some(), "{cell:?}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "(?s).{0,200}") {
        answers(&text)?;
    }

    #[test]
    fn a_soup_of_signs_is_answered(pieces in proptest::collection::vec(0..16_usize, 0..40)) {
        let signs = ["\"", "\\", ":", ",", " ", "\t", "\n", "\r\n", "#", "@", "|", "é", "\0", ":include:", "a", "\u{feff}"];
        answers(&pieces.into_iter().map(|piece| signs[piece]).collect::<String>())?;
    }
}
