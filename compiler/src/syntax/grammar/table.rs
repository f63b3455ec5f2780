//! What stands in table files: `mailboxes`, `aliases` and `recipients` of a domain, and `mailboxes`, `aliases` and `routes` of the
//! whole site.

use super::spec::{NodeSpec, PropertySpec};
use super::value_type::{ValueType, Word};

const CSV: Word = Word::new("csv", "Comma-separated cells, one line a row; the first line names the columns (RFC 4180).");
const TSV: Word = Word::new("tsv", "The same with tabs between the cells.");

const MAILBOX_FORMATS: &[Word] =
    &[CSV, TSV, Word::new("list", "One address a line, as in a user list or in `virtual_mailbox_maps`. `#` begins a comment.")];

const ALIAS_FORMATS: &[Word] = &[
    CSV,
    TSV,
    Word::new(
        "aliases",
        "`aliases(5)`: `name: address, address`. A line that begins with a blank continues the one before; `:include:list.txt` \
         takes the addresses of a file in the site's folder. Commands, files and `\\name` are refused.",
    ),
    Word::new(
        "virtual",
        "`virtual(5)`: an address, a blank, and the addresses that it stands for. `@example.com` is the catch-all of a domain.",
    ),
];

const ROUTE_FORMATS: &[Word] = &[
    CSV,
    TSV,
    Word::new(
        "transport",
        "`transport(5)`: a domain, `.domain` or `*`, and a next hop. The narrowest pattern wins, wherever it stands. `smtp:` is \
         `direct`; `smtp:[host]:port` is the relay of that host and port, which must be declared.",
    ),
];

const fn file(formats: &'static [Word]) -> [PropertySpec; 2] {
    [
        PropertySpec::new(
            "file",
            ValueType::Path,
            "The table. Its path counts from the folder of the site file and stays in it.",
        )
        .required(),
        PropertySpec::new(
            "format",
            ValueType::Word(formats),
            "How it is written. Without it, the name of the file tells: what stands behind its last dot, or the whole of it.",
        ),
    ]
}

const MAILBOX_PROPERTIES: &[PropertySpec] = &file(MAILBOX_FORMATS);
const ALIAS_PROPERTIES: &[PropertySpec] = &file(ALIAS_FORMATS);
const ROUTE_PROPERTIES: &[PropertySpec] = &file(ROUTE_FORMATS);

/// `mailboxes` in a `domain`.
pub const MAILBOXES: NodeSpec = NodeSpec::new(
    "mailboxes",
    "Mailboxes from a table. Its columns are `address`, a local part of the domain or a whole address in it, and `quota`, which \
     may be left out.",
)
.properties(MAILBOX_PROPERTIES)
.many()
.example("mailboxes file=\"mailboxes.csv\"")
.postfix(&["virtual_mailbox_maps"]);

/// `mailboxes` beside the domains.
pub const SITE_MAILBOXES: NodeSpec = NodeSpec::new(
    "mailboxes",
    "Mailboxes of any local domains of the site from one table. It is as in a `domain`, with whole addresses.",
)
.properties(MAILBOX_PROPERTIES)
.many()
.example("mailboxes file=\"mailboxes.csv\"")
.postfix(&["virtual_mailbox_maps"]);

/// `aliases` in a `domain`.
pub const ALIASES: NodeSpec = NodeSpec::new(
    "aliases",
    "Aliases from a table. Its columns are `address`, a local part of the domain or a whole address in it, and `targets`, one or \
     more addresses with blanks or commas between them; a cell with commas stands in quotes.",
)
.properties(ALIAS_PROPERTIES)
.many()
.example("aliases file=\"aliases\"")
.postfix(&["alias_maps", "alias_database", "virtual_alias_maps"]);

/// `aliases` beside the domains.
pub const SITE_ALIASES: NodeSpec = NodeSpec::new(
    "aliases",
    "Aliases in any local domains of the site from one table. It is as in a `domain`, with whole addresses; a target without a \
     domain belongs to that of its row.",
)
.properties(ALIAS_PROPERTIES)
.many()
.example("aliases file=\"virtual\"")
.postfix(&["virtual_alias_maps"]);

/// `routes`.
pub const ROUTES: NodeSpec = NodeSpec::new(
    "routes",
    "Routes from a table, in its place among the others. Its columns are `to`, `via`, `from` and `tls`, as in `route`; the last \
     two may be left out.",
)
.properties(ROUTE_PROPERTIES)
.many()
.example("routes file=\"transport\"")
.postfix(&["transport_maps"]);

/// `recipients` of a relay domain.
pub const RECIPIENTS: NodeSpec = NodeSpec::new(
    "recipients",
    "The recipients of a relay domain, from a table with the column `address`. Nobody else is taken mail for; without this node, \
     everybody is.",
)
.properties(MAILBOX_PROPERTIES)
.many()
.example("recipients file=\"lists.csv\"")
.postfix(&["relay_recipient_maps"]);
