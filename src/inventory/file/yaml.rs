//! YAML, read strictly and within bounds.

use serde::de::DeserializeOwned;
use serde_saphyr::{
    DuplicateKeyPolicy, Error, Location, MergeKeyPolicy, MessageFormatter, Options, UserMessageFormatter,
    alias_limits, budget, options,
};

use super::{
    InventoryError,
    error::{Fault, hint},
};

/// Bounds far beyond any inventory, far below what takes a second: aliases that multiply, and nesting, end here.
fn bounded() -> Options {
    options! {
        budget: budget! {
            max_events: 200_000,
            max_nodes: 100_000,
            max_depth: 16,
            flow_nesting_limit: 16,
            max_aliases: 1_000,
            max_anchors: 200,
            max_documents: 1,
        },
        alias_limits: alias_limits! {
            max_total_replayed_events: 50_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        merge_keys: MergeKeyPolicy::Error,
        strict_booleans: true,
        with_snippet: false,
    }
}

/// Reads a document; `file` names it in errors.
pub(super) fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, InventoryError> {
    serde_saphyr::from_str_with_options(text, bounded()).map_err(|error| {
        let error = error.without_snippet();
        let location = error.location().unwrap_or(Location::UNKNOWN);
        Fault::new(location, message(error)).in_file(file)
    })
}

/// In our words. Of a value of the wrong type only the type is told: somebody may have put the secret itself there.
fn message(error: &Error) -> String {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            let hint = hint(field, expected.iter().copied());
            format!("unknown key `{}`; known are {}{hint}", shown(field), expected.join(", "))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            let hint = hint(variant, expected.iter().copied());
            format!("`{}` is none of {}{hint}", shown(variant), expected.join(", "))
        }
        Error::SerdeMissingField { field, .. } => format!("`{field}` is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{}` stands twice", shown(key)),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("expected {expected}, found {}", type_of(unexpected))
        }
        Error::MergeKeyNotAllowed { .. } => "merge keys (`<<`) are not taken: write it out".to_owned(),
        Error::MultipleDocuments { .. } => "an inventory is one document".to_owned(),
        Error::NullIntoString { .. } => "expected text, found nothing".to_owned(),
        Error::AliasReplayLimitExceeded { .. } | Error::AliasReplayStackDepthExceeded { .. } => {
            "aliases make more of this file than an inventory can be: write it out".to_owned()
        }
        other => UserMessageFormatter.format_message(other).into_owned(),
    }
}

/// A word of the file, short enough to be one.
fn shown(word: &str) -> &str {
    const LONGEST: usize = 48;
    if word.len() <= LONGEST { word } else { "a long word" }
}

/// Of serde's "string \"value\"" or "integer `5`" the type.
fn type_of(unexpected: &str) -> &str {
    unexpected.split(['"', '`']).next().unwrap_or_default().trim_end()
}
