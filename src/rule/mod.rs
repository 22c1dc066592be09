//! What a secret looks like: rules, packs of rules, and what follows from a rule's pattern alone.
//!
//! TOML text comes in; valid [`Rule`]s go out: regex parsed, literals and reach derived, ids well formed. This room reads no
//! scanned content and decides nothing about a match.

mod builtin;
mod check;
mod checksum;
mod definition;
mod dialect;
mod filter;
mod literal;
mod load;
mod near_miss;
mod nearby;
mod pack;
mod path_name;
mod program;
mod rarity;
mod schema;
mod template;

pub use builtin::{builtin, builtin_plan, builtin_programs, builtin_with_templates};
pub use check::{
    AnswerRow, Condition, Encoding, HttpCheck, Kind, Meaning, Part, Scalar, Source, Template, Test, origin,
};
pub use checksum::Checksum;
pub use definition::{
    Allowlist, AllowlistCondition, Companion, Detection, Origin, Pattern, Reach, RegexTarget, Required, Rule,
    Search, Specificity, Templates,
};
pub use dialect::{needs_unicode, parser};
pub use filter::{Filter, FilterCheck, FilterSubject, FilterTest, Order};
pub use load::{TomlError, read_toml};
pub use near_miss::NearMiss;
pub use nearby::Nearby;
pub use pack::{Extends, ReadInside, RuleError, RulePack};
pub use path_name::name_pattern;
pub use program::{ANY, Ahead, Program, Programs, SetId, Step};
pub use rarity::{byte_rate, made_of_words, stretch_rate, surprise};
pub use template::{Rendered, TemplateError, Templater};
