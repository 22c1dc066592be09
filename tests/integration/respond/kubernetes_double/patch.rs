//! The two kinds of patches.

use serde_json::{Map, Value, json};

/// Lists whose entries have a name by which they are merged, of those fields that are used.
const MERGED_BY_NAME: &[&str] = &["containers", "initContainers", "env", "volumes"];

/// RFC 7386.
pub(super) fn merge(object: Value, patch: &Value) -> Value {
    let Some(patch) = patch.as_object() else { return patch.clone() };
    let mut fields = into_fields(object);
    for (key, value) in patch {
        let before = fields.remove(key).unwrap_or_default();
        if !value.is_null() {
            fields.insert(key.clone(), merge(before, value));
        }
    }
    Value::Object(fields)
}

/// Strategic merge; what it can't do is an error.
pub(super) fn strategic(object: Value, patch: &Value) -> Result<Value, String> {
    let Some(patch) = patch.as_object() else { return Ok(patch.clone()) };
    let mut fields = into_fields(object);
    for (key, value) in patch {
        if key.starts_with('$') {
            return Err(format!("directive {key} is not known here"));
        }
        let before = fields.remove(key).unwrap_or_default();
        let after = match value {
            Value::Null => continue,
            Value::Array(entries) if MERGED_BY_NAME.contains(&key.as_str()) => by_name(before, entries)?,
            other => strategic(before, other)?,
        };
        fields.insert(key.clone(), after);
    }
    Ok(Value::Object(fields))
}

fn by_name(before: Value, entries: &[Value]) -> Result<Value, String> {
    let mut list = before.as_array().cloned().unwrap_or_default();
    for entry in entries {
        let name = entry["name"].as_str().ok_or("map: does not contain declared merge key: name")?;
        let at = list.iter().position(|known| known["name"] == name);
        match (entry.get("$patch"), at) {
            (Some(directive), at) if *directive == "delete" => {
                if let Some(at) = at {
                    list.remove(at);
                }
            }
            (Some(_), _) => return Err("that $patch is not known here".to_owned()),
            (None, Some(at)) => list[at] = strategic(list[at].clone(), entry)?,
            (None, None) => list.push(strategic(json!({}), entry)?),
        }
    }
    Ok(Value::Array(list))
}

fn into_fields(object: Value) -> Map<String, Value> {
    match object {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
