//! Entries for other programs.

use super::{AuditError, Entry};
use crate::output::{escape_json, harmless};

/// As what entries are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// An array, each entry as it stands in the log.
    Json,
    /// A header and a row each; cells that a spreadsheet would take for formulas are made text.
    Csv,
}

type Cell = fn(&Entry) -> String;

/// The columns of CSV: name and content.
const COLUMNS: &[(&str, Cell)] = &[
    ("seq", |entry| entry.seq.to_string()),
    ("timestamp", |entry| format!("{:.3}", entry.event.timestamp)),
    ("event_type", |entry| entry.event.event_type.to_string()),
    ("action", |entry| entry.event.action.to_string()),
    ("result", |entry| entry.event.result.to_string()),
    ("user_id", |entry| of_user(entry, |user| Some(user.id.clone()))),
    ("user_email", |entry| of_user(entry, |user| user.email.clone())),
    ("user_ip_address", |entry| of_user(entry, |user| user.ip_address.clone())),
    ("secret_environment", |entry| of_secret(entry, |secret| &secret.environment)),
    ("secret_path", |entry| of_secret(entry, |secret| &secret.path)),
    ("incident", |entry| entry.event.metadata.get("incident").cloned().unwrap_or_default()),
    ("metadata", |entry| serde_json::json!(entry.event.metadata).to_string()),
    ("previous", |entry| entry.previous.clone()),
    ("mac", |entry| entry.mac.clone()),
];

fn of_user(entry: &Entry, part: fn(&super::User) -> Option<String>) -> String {
    entry.event.user.as_ref().and_then(part).unwrap_or_default()
}

fn of_secret(entry: &Entry, part: fn(&super::SecretName) -> &String) -> String {
    entry.event.secret.as_ref().map(part).cloned().unwrap_or_default()
}

/// Entries as bytes of a format.
///
/// # Errors
/// [`AuditError::Export`].
pub fn export(entries: &[Entry], format: ExportFormat) -> Result<Vec<u8>, AuditError> {
    match format {
        ExportFormat::Json => {
            let fail =
                |error: serde_json::Error| AuditError::Export { format: "json", why: error.to_string() };
            let mut text = serde_json::to_string_pretty(entries).map_err(fail)?;
            text.push('\n');
            Ok(escape_json(text).into_bytes())
        }
        ExportFormat::Csv => csv(entries).map_err(|why| AuditError::Export { format: "csv", why }),
    }
}

fn csv(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.iter().map(|(name, _)| name)).map_err(|error| error.to_string())?;
    for entry in entries {
        let row = COLUMNS.iter().map(|(_, cell)| harmless(&cell(entry)));
        writer.write_record(row).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}
