//! Having the manager's operator write its Secrets anew, at once, and seeing that it did.
//!
//! Operators since 0.10 act on nothing but a change of `spec` (`metadata.generation`), older ones on any change, and those of static secrets on
//! annotations: one patch has all of it. It changes the interval of syncs, and puts it back at the end.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    cluster::{Cluster, Patch},
    fault::shown,
    managed::{self, Expect, Managed, are_synced},
    object::Object,
    wait::{Wait, Watch},
    workload::Condition,
};
use crate::{
    inventory::{Consumer, ConsumerType},
    respond::target::Trouble,
};

/// The interval as it was, in JSON, while it is another: what a crash leaves behind says so itself.
const KEPT: &str = "hekate.dev/resync-interval";
/// When a sync was last asked for. Old operators, and those of static secrets, act on that it changes.
const ASKED: &str = "hekate.dev/sync-requested-at";
/// Putting the interval back may take this long beyond the deadline.
const RESTORE_WITHIN: Duration = Duration::from_secs(20);

/// A sync that was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Synced {
    /// The Secrets that were looked at, as `namespace/name`.
    pub secrets: Vec<String>,
    /// Whether it had to be asked for: they may have held the value already.
    pub is_asked_for: bool,
}

/// Has the operator sync a resource, and waits until the Secrets that it writes hold the value.
///
/// # Errors
/// [`Trouble::Refused`] for what can't be read or patched, [`Trouble::Unclear`] where the value does not arrive in time, or the interval could not be put back:
/// doing it again then does that.
pub fn sync(
    cluster: &Cluster<'_>,
    consumer: &Consumer,
    expect: &Expect<'_>,
    wait: &Wait<'_>,
) -> Result<Synced, Trouble> {
    let watch = wait.start();
    let object = synced_of(consumer)?;
    let resource: Value = cluster.read(&object, &watch)?;
    let secrets = managed::of_resource(consumer, &object, &resource)?;
    let is_asked_for = !are_synced(&read_all(cluster, &secrets, &watch)?, expect);
    let outcome = if is_asked_for {
        ask(cluster, consumer, &object, wait)
            .and_then(|()| arrival(cluster, &object, &secrets, expect, &watch))
    } else {
        Ok(())
    };
    let restored = restore(cluster, &object, &wait.start_for(wait.within.min(RESTORE_WITHIN)));
    outcome?;
    restored?;
    let name = |secret: &Object| format!("{}/{}", secret.namespace, secret.name);
    Ok(Synced { secrets: secrets.iter().map(name).collect(), is_asked_for })
}

/// The object of a consumer that can be synced.
pub(super) fn synced_of(consumer: &Consumer) -> Result<Object, Trouble> {
    let object = Object::of(consumer)?;
    if !consumer.kind.is_synced() {
        return Err(Trouble::Refused(format!("{object} is restarted, not synced")));
    }
    Ok(object)
}

fn read_all(
    cluster: &Cluster<'_>,
    secrets: &[Object],
    watch: &Watch<'_>,
) -> Result<Vec<Option<Managed>>, Trouble> {
    secrets.iter().map(|secret| cluster.find(secret, watch)).collect()
}

/// Waits until all Secrets hold the value.
fn arrival(
    cluster: &Cluster<'_>,
    object: &Object,
    secrets: &[Object],
    expect: &Expect<'_>,
    watch: &Watch<'_>,
) -> Result<(), Trouble> {
    loop {
        let found = read_all(cluster, secrets, watch).map_err(after_the_change)?;
        if are_synced(&found, expect) {
            return Ok(());
        }
        watch.pause(None).map_err(|over| {
            let names: Vec<String> = secrets.iter().map(ToString::to_string).collect();
            // One more look, for what its operator says of it.
            let said = cluster.find::<Value>(object, watch).ok().flatten().map(|now| complaints(&now));
            Trouble::Unclear(format!(
                "{object} was not synced {over}: {} does not hold the new value of {}{}",
                names.join(", "),
                shown(expect.key),
                said.unwrap_or_default()
            ))
        })?;
    }
}

fn after_the_change(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused(text) => Trouble::Unclear(text),
        other => other,
    }
}

/// What the operator says is not well, by its words for it; its sentences may hold anything.
fn complaints(resource: &Value) -> String {
    let conditions: Vec<Condition> =
        serde_json::from_value(resource["status"]["conditions"].clone()).unwrap_or_default();
    let bad = conditions.iter().filter(|condition| condition.status == "False");
    let words: Vec<String> =
        bad.map(|condition| format!("{} ({})", shown(&condition.kind), shown(&condition.reason))).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!("; its operator says it is not: {}", words.join(", "))
    }
}

/// Asks for a sync.
fn ask(cluster: &Cluster<'_>, consumer: &Consumer, object: &Object, wait: &Wait<'_>) -> Result<(), Trouble> {
    let watch = wait.start();
    let now = wait.timestamp();
    let resource: Value = cluster.read(object, &watch)?;
    let before = generation(&resource);
    let mut refusal = None;
    for interval in candidates(consumer.kind, &resource) {
        let changed = cluster.change(object, &watch, &mut |current: &Value| {
            let is_done = generation(current) > before && kept(current).is_some();
            Ok((!is_done).then(|| asking(current, Some(*interval), &now)))
        });
        match changed {
            Ok(changed) if generation(&changed) > before => return Ok(()),
            // Its definition does not know that field: it was dropped.
            Ok(_) => refusal = None,
            Err(Trouble::Refused(why)) => refusal = Some(Trouble::Refused(why)),
            Err(other) => return Err(other),
        }
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    // Nothing of `spec` can be changed, or has to be: this is for those who act on annotations.
    let is_asked = |current: &Value| current["metadata"]["annotations"][ASKED] == now.as_str();
    cluster
        .change(object, &watch, &mut |current: &Value| {
            Ok((!is_asked(current)).then(|| asking(current, None, &now)))
        })
        .map(|_| ())
}

/// Where a resource has the interval of its syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interval {
    /// `spec.syncConfig.resyncInterval`, a text such as `60s`.
    Text,
    /// `spec.resyncInterval`, in seconds; of older definitions.
    Number,
}

/// Which to try, the likeliest first.
fn candidates(kind: ConsumerType, resource: &Value) -> &'static [Interval] {
    let spec = &resource["spec"];
    if kind == ConsumerType::InfisicalStaticSecret {
        &[]
    } else if spec["syncConfig"].is_null() && spec["resyncInterval"].is_number() {
        &[Interval::Number, Interval::Text]
    } else {
        &[Interval::Text, Interval::Number]
    }
}

impl Interval {
    fn of(self, spec: &Value) -> &Value {
        match self {
            Self::Text => &spec["syncConfig"]["resyncInterval"],
            Self::Number => &spec["resyncInterval"],
        }
    }

    /// What it is changed to, whichever it is not: no shorter than the five seconds that the operator takes, and close to its old default.
    fn ours(self) -> [Value; 2] {
        match self {
            Self::Text => [json!("61s"), json!("62s")],
            Self::Number => [json!(61), json!(62)],
        }
    }

    /// `spec` of a patch that changes it.
    fn changed(self, spec: &Value) -> Value {
        let [usual, other] = self.ours();
        let value = if *self.of(spec) == usual { other } else { usual };
        match self {
            Self::Text => json!({"syncConfig": {"resyncInterval": value}}),
            Self::Number => json!({"resyncInterval": value}),
        }
    }
}

fn generation(resource: &Value) -> i64 {
    resource["metadata"]["generation"].as_i64().unwrap_or_default()
}

/// The intervals as they were, before any patch of ours.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    text: Option<String>,
    number: Option<i64>,
    /// Whether there was a `syncConfig` at all.
    config: bool,
}

/// What an earlier patch noted. A note that is not ours says nothing.
fn kept(resource: &Value) -> Option<Kept> {
    let text = resource["metadata"]["annotations"][KEPT].as_str()?;
    Some(serde_json::from_str(text).unwrap_or_default())
}

/// The patch that asks. What is noted already is older than what is there now, and stays.
fn asking(current: &Value, interval: Option<Interval>, now: &str) -> Patch {
    let spec = &current["spec"];
    let mut annotations = Map::from_iter([(ASKED.to_owned(), json!(now))]);
    let mut body = json!({"metadata": {"resourceVersion": current["metadata"]["resourceVersion"]}});
    if let Some(interval) = interval {
        if kept(current).is_none() {
            let note = json!({
                "text": Interval::Text.of(spec),
                "number": Interval::Number.of(spec),
                "config": spec["syncConfig"].is_object(),
            });
            annotations.insert(KEPT.to_owned(), json!(note.to_string()));
        }
        body["spec"] = interval.changed(spec);
    }
    body["metadata"]["annotations"] = Value::Object(annotations);
    Patch::merge(&body)
}

/// Puts the interval back, where one is noted: also for a run that came to no end.
fn restore(cluster: &Cluster<'_>, object: &Object, watch: &Watch<'_>) -> Result<(), Trouble> {
    let done = cluster.change(object, watch, &mut |current: &Value| {
        Ok(kept(current).map(|kept| restoring(current, &kept)))
    });
    done.map(|_| ()).map_err(|trouble| {
        Trouble::Unclear(format!(
            "the interval of {object} could not be put back to what its annotation {KEPT} says: {trouble}"
        ))
    })
}

/// The patch that puts it back. What is not as we had set it, somebody else has set since.
fn restoring(current: &Value, kept: &Kept) -> Patch {
    let spec = &current["spec"];
    let is_ours = |interval: Interval| interval.ours().contains(interval.of(spec));
    let mut restored = json!({});
    if is_ours(Interval::Text) {
        let is_alone = spec["syncConfig"].as_object().is_some_and(|config| config.len() == 1);
        let goes = !kept.config && is_alone;
        restored["syncConfig"] = if goes { Value::Null } else { json!({"resyncInterval": kept.text}) };
    }
    if is_ours(Interval::Number) {
        restored["resyncInterval"] = json!(kept.number);
    }
    let metadata = json!({
        "resourceVersion": current["metadata"]["resourceVersion"],
        "annotations": {KEPT: null},
    });
    Patch::merge(&json!({"metadata": metadata, "spec": restored}))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7386.
    fn merged(mut object: Value, patch: &Value) -> Value {
        let Some(patch) = patch.as_object() else { return patch.clone() };
        if !object.is_object() {
            object = json!({});
        }
        let fields = object.as_object_mut().unwrap();
        for (key, value) in patch {
            if value.is_null() {
                fields.remove(key);
            } else {
                let before = fields.remove(key).unwrap_or_default();
                fields.insert(key.clone(), merged(before, value));
            }
        }
        object
    }

    fn patched(object: Value, patch: &Patch) -> Value {
        merged(object, &serde_json::from_slice(patch.body.expose().expose()).unwrap())
    }

    #[test]
    fn the_interval_changes_and_is_put_back_as_it_was() {
        for spec in [
            json!({}),
            json!({"resyncInterval": 60}),
            json!({"resyncInterval": 61}),
            json!({"syncConfig": {"instantUpdates": true}}),
            json!({"syncConfig": {"resyncInterval": "61s"}}),
            json!({"syncConfig": {"resyncInterval": "1h"}, "resyncInterval": 60}),
        ] {
            let before =
                json!({"metadata": {"resourceVersion": "7", "annotations": {"mine": "x"}}, "spec": spec});
            for interval in candidates(ConsumerType::InfisicalSecret, &before) {
                let during = patched(before.clone(), &asking(&before, Some(*interval), "now"));
                assert_ne!(during["spec"], before["spec"]);
                let again = patched(during.clone(), &asking(&during, Some(*interval), "later"));
                assert_ne!(again["spec"], during["spec"], "a second try changes it again");
                let note = kept(&again).unwrap();
                let after = patched(again.clone(), &restoring(&again, &note));
                assert_eq!(after["spec"], before["spec"]);
                assert_eq!(after["metadata"]["annotations"], json!({"mine": "x", ASKED: "later"}));
            }
        }
    }

    #[test]
    fn the_field_that_is_in_use_is_tried_first() {
        let first = |spec: Value| candidates(ConsumerType::InfisicalSecret, &json!({"spec": spec}))[0];
        assert_eq!(first(json!({})), Interval::Text);
        assert_eq!(first(json!({"resyncInterval": 60})), Interval::Number);
        assert_eq!(first(json!({"resyncInterval": 60, "syncConfig": {}})), Interval::Text);
    }

    #[test]
    fn a_second_field_is_put_back_too_where_the_first_was_dropped() {
        let before = json!({"metadata": {}, "spec": {}});
        let mut dropped = patched(before.clone(), &asking(&before, Some(Interval::Text), "now"));
        dropped["spec"] = json!({});
        let during = patched(dropped.clone(), &asking(&dropped, Some(Interval::Number), "now"));
        assert_eq!(during["spec"], json!({"resyncInterval": 61}));
        assert_eq!(patched(during.clone(), &restoring(&during, &kept(&during).unwrap()))["spec"], json!({}));
    }

    #[test]
    fn what_somebody_else_set_since_stays() {
        let note = json!({"text": "60s", "config": true}).to_string();
        let object = json!({"metadata": {"annotations": {KEPT: note}}, "spec": {"syncConfig": {"resyncInterval": "9s"}}});
        let after = patched(object.clone(), &restoring(&object, &kept(&object).unwrap()));
        assert_eq!(after["spec"], object["spec"]);
        let torn = json!({"metadata": {"annotations": {KEPT: "{"}}, "spec": {}});
        let after = patched(torn.clone(), &restoring(&torn, &kept(&torn).unwrap()));
        assert_eq!(after["metadata"]["annotations"], json!({}));
    }
}
