//! What divides a site into files and variants: `include`, `let`, `profile`; and `allow`, which speaks of findings.

use super::spec::{Argument, NodeSpec, PropertySpec};
use super::value_type::{Kind, ValueType};

/// `include`.
pub const INCLUDE: NodeSpec = NodeSpec::new(
    "include",
    "Puts the nodes of other files in its place. They must lie in the site's folder; those of a glob are taken in order of name.",
)
.arguments(&[Argument::new(
    "files",
    ValueType::Path,
    "A path relative to the file it stands in; `*` and `?` match within a name.",
)
.repeating()])
.properties(&[PropertySpec::new("optional", ValueType::Truth, "Whether it is fine that no such file is there.")])
.many()
.example("include \"domains/*.kdl\"");

/// `let`.
pub const LET: NodeSpec = NodeSpec::new(
    "let",
    "Constants. `{name}` in any text of the site is replaced by the value; a text that is nothing but `{name}` becomes the value \
     itself, be it a number or a truth value. A constant holds in every file, also before its `let`.",
)
.open()
.many()
.example("let egress=\"203.0.113.25\" relay-port=587");

/// `profile`. Its children are those of the site file; see [`super::allowed_in_profile`].
pub const PROFILE: NodeSpec = NodeSpec::new(
    "profile",
    "A variant of the site, in force under `--profile`. A node in it changes the node of the same name and first argument: its \
     properties and children win. What has no counterpart is added, before the nodes of that kind.",
)
.arguments(&[Argument::name(Kind::Profile, "The name of the variant.")])
.many()
.example("profile \"staging\" {\n    site \"mail.staging.example.com\"\n}");

/// The declaration of one constant in a `let`.
pub const CONSTANT: PropertySpec = PropertySpec::new("constant", ValueType::Any, "The value of the constant of that name.");

/// `allow`. It may stand in every block: see [`NodeSpec::child`].
pub const ALLOW: NodeSpec = NodeSpec::new(
    "allow",
    "Lets the findings of one rule pass in the block that it stands in, or outside every block in the whole site. What is found \
     no more is to be allowed no more: an `allow` without effect is a finding itself.",
)
.arguments(&[Argument::new("code", ValueType::Text, "The code of the rule: `DOM016`.")])
.properties(&[
    PropertySpec::new("reason", ValueType::Text, "Why it is right here, for whoever reads this in a year.").required(),
    PropertySpec::new(
        "class",
        ValueType::Text,
        "The clients that are let in, in the words of the finding, where the rule is an error of the relay proof.",
    ),
])
.many()
.example("allow \"DOM016\" reason=\"abuse mail is read at the parent company\"");
