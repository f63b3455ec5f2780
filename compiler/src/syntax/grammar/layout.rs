//! What divides a site into files and variants: `include`, `let`, `profile`.

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
