//! From the file's shapes to an inventory: what they say together.

use std::collections::{HashMap, HashSet};

use serde_saphyr::Spanned;

use super::{
    Consumer, Entry, Inventory, Kind, PathPattern, Period, Playbook, Policy, Role, Rotation, Scope, Signing,
    Token, consumer,
    defaults::defaults,
    error::{Fault, hint},
    name,
    raw::{Entries, RawEntry, RawInventory, RawPolicy, RawRotate, RawSigning, RawToken, checked, parsed},
    signing, target,
};

/// What the parts of the file refer to.
struct Known {
    project: String,
    environments: Vec<String>,
    /// Each secret's folder, by its name.
    folders: HashMap<String, String>,
    tokens: HashSet<String>,
}

pub(super) fn inventory(raw: RawInventory, digest: [u8; 32]) -> Result<Inventory, Fault> {
    let mut folders = HashMap::new();
    let listed = listed(raw.folders.0, &mut folders)?;
    let known = Known {
        project: checked(raw.project, name::plain_name)?,
        environments: environments(raw.environments)?,
        folders,
        tokens: raw.tokens.iter().map(|token| token.name.value.clone()).collect(),
    };
    let mut more = known.details(raw.secrets.0)?;
    let mut entries = each(listed, |(folder, name)| {
        let raw = more.remove(&name.value).unwrap_or_default();
        known.entry(folder, name.value, raw)
    })?;
    entries.sort_by(|one, two| (&one.folder, &one.name).cmp(&(&two.folder, &two.name)));
    let by_name = entries.iter().enumerate().map(|(index, entry)| (entry.name.clone(), index)).collect();
    let mut seen = HashSet::new();
    Ok(Inventory {
        tokens: each(raw.tokens, |raw| token(raw, &known, &mut seen))?,
        health: each(raw.health, |url| checked(url, name::address))?,
        policies: each(raw.policies.0, |(name, raw)| policy(name, raw, &known))?,
        project: known.project,
        environments: known.environments,
        entries,
        digest,
        by_name,
    })
}

fn each<A, B>(items: Vec<A>, read: impl FnMut(A) -> Result<B, Fault>) -> Result<Vec<B>, Fault> {
    items.into_iter().map(read).collect()
}

/// The items of a list that may not be empty.
fn some<T>(list: Spanned<Vec<T>>, what: &str) -> Result<Vec<T>, Fault> {
    if list.value.is_empty() { Err(Fault::at(&list, format!("{what} is empty"))) } else { Ok(list.value) }
}

fn environments(raw: Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, Fault> {
    let mut environments: Vec<String> = Vec::new();
    for environment in some(raw, "`environments`")? {
        if environments.contains(&environment.value) {
            return Err(Fault::at(&environment, format!("`{}` stands twice", environment.value)));
        }
        if target::is_field(&environment.value) {
            let message =
                format!("`{}` is a key of targets: call the environment otherwise", environment.value);
            return Err(Fault::at(&environment, message));
        }
        environments.push(checked(environment, name::plain_name)?);
    }
    Ok(environments)
}

/// Every name with its folder. `folders` gets each name's folder.
fn listed(
    raw: Vec<(Spanned<String>, Vec<Spanned<String>>)>,
    folders: &mut HashMap<String, String>,
) -> Result<Vec<(String, Spanned<String>)>, Fault> {
    let mut listed = Vec::new();
    let mut seen = HashSet::new();
    for (key, names) in raw {
        let folder = name::folder(&key.value).map_err(|why| Fault::at(&key, why))?;
        if !seen.insert(folder.clone()) {
            return Err(Fault::at(&key, format!("the folder `{folder}` stands twice")));
        }
        if folder == super::PENDING_FOLDER || folder.starts_with(&format!("{}/", super::PENDING_FOLDER)) {
            return Err(Fault::at(&key, "this folder is kept for rotations that are under way"));
        }
        for name in names {
            name::secret_name(&name.value).map_err(|why| Fault::at(&name, why))?;
            if let Some(other) = folders.insert(name.value.clone(), folder.clone()) {
                let message = format!("`{}` stands in {other} already: a name has one folder", name.value);
                return Err(Fault::at(&name, message));
            }
            listed.push((folder.clone(), name));
        }
    }
    Ok(listed)
}

impl Known {
    fn environment(&self, environment: &Spanned<String>) -> Result<(), Fault> {
        if self.environments.contains(&environment.value) {
            return Ok(());
        }
        let known = self.environments.join(", ");
        let hint = hint(&environment.value, self.environments.iter().map(String::as_str));
        let message = format!("no environment `{}`; known are {known}{hint}", environment.value);
        Err(Fault::at(environment, message))
    }

    fn environments(&self, raw: Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, Fault> {
        each(some(raw, "`environments`")?, |environment| {
            self.environment(&environment)?;
            Ok(environment.value)
        })
    }

    /// A pattern; that a folder is meant, where only its path stands, has to be written.
    fn pattern(&self, raw: &Spanned<String>) -> Result<PathPattern, Fault> {
        if self.folders.values().any(|folder| *folder == raw.value) {
            let message = format!("`{}` is a folder: write `{}/*`", raw.value, raw.value);
            return Err(Fault::at(raw, message));
        }
        parsed(raw)
    }
}

impl Known {
    /// What `secrets` says, by name.
    fn details(&self, raw: Vec<(Spanned<String>, RawEntry)>) -> Result<HashMap<String, RawEntry>, Fault> {
        let details = each(raw, |(name, entry)| {
            if self.folders.contains_key(&name.value) {
                return Ok((name.value, entry));
            }
            let hint = hint(&name.value, self.folders.keys().map(String::as_str));
            let message = format!("`{}` stands in no folder of `folders`{hint}", name.value);
            Err(Fault::at(&name, message))
        })?;
        Ok(details.into_iter().collect())
    }

    fn entry(&self, folder: String, name: String, raw: RawEntry) -> Result<Entry, Fault> {
        let path = format!("{}/{name}", folder.trim_end_matches('/'));
        let (kind, rotation) = defaults(&path, raw.kind);
        let environments = raw.environments.map(|raw| self.environments(raw)).transpose()?;
        let targets = raw.target.map(|raw| target::targets(raw, &self.environments)).transpose()?;
        Ok(Entry {
            kind,
            rotation: rotated(raw.rotate, rotation)?,
            environments: environments.unwrap_or_else(|| self.environments.clone()),
            targets: targets.unwrap_or_default(),
            consumers: each(raw.consumers, |raw| self.consumer(raw))?,
            signing: raw.signing.map(|raw| self.signing(raw, kind)).transpose()?,
            playbook: raw.playbook.map(|raw| playbook(&raw)).transpose()?,
            folder,
            name,
        })
    }

    fn consumer(&self, raw: Spanned<Entries<Spanned<String>>>) -> Result<Consumer, Fault> {
        let place = raw.referenced;
        let consumer = consumer::consumer(raw)?;
        match &consumer.token {
            Some(token) if !self.tokens.contains(token) => {
                Err(Fault::new(place, format!("no token `{token}` stands in `tokens`")))
            }
            _ => Ok(consumer),
        }
    }

    fn signing(&self, raw: Spanned<RawSigning>, kind: Kind) -> Result<Signing, Fault> {
        if kind != Kind::SigningKey {
            return Err(Fault::at(&raw, format!("`signing` is for signing keys; this is a {kind}")));
        }
        for next in [&raw.value.next_name, &raw.value.next_public_name] {
            if self.folders.contains_key(&next.value) {
                let message = "the rotation makes and drops this name: take it out of `folders`";
                return Err(Fault::at(next, message));
            }
        }
        signing::signing(raw.value)
    }
}

fn rotated(raw: RawRotate, default: Rotation) -> Result<Rotation, Fault> {
    let days = |raw: &Spanned<String>| -> Result<Period, Fault> {
        let period: Period = parsed(raw)?;
        if period.seconds().is_multiple_of(Period::days(1).seconds()) {
            Ok(period)
        } else {
            Err(Fault::at(raw, "rotation goes by whole days"))
        }
    };
    let every = raw.every.as_ref().map(days).transpose()?.unwrap_or(default.every);
    let notice = raw.notice.as_ref().map(days).transpose()?;
    if let Some(place) =
        raw.notice.as_ref().filter(|_| notice.is_some_and(|n| n.seconds() >= every.seconds()))
    {
        return Err(Fault::at(place, format!("notice has to be shorter than the {every} of `every`")));
    }
    // Of what is rotated more often than its default notice, a quarter of the time is notice enough.
    let quarter = Period::days((every.whole_days() / 4).max(1));
    let default_notice = if default.notice.seconds() < every.seconds() { default.notice } else { quarter };
    let trigger = raw.trigger.unwrap_or(default.trigger);
    Ok(Rotation { every, notice: notice.unwrap_or(default_notice), trigger })
}

fn playbook(raw: &Spanned<String>) -> Result<Playbook, Fault> {
    if raw.value == "manual" {
        return Ok(Playbook::Manual);
    }
    if let Some(command) = raw.value.strip_prefix("command:") {
        name::plain_name(command).map_err(|why| Fault::at(raw, why))?;
        return Ok(Playbook::Command(command.to_owned()));
    }
    let kind = Kind::ALL.iter().copied().find(|kind| kind.as_str() == raw.value);
    kind.map(Playbook::Kind).ok_or_else(|| {
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        let message = format!("a playbook is manual, command:NAME, or one of {}", kinds.join(", "));
        Fault::at(raw, message)
    })
}

fn token(raw: RawToken, known: &Known, seen: &mut HashSet<String>) -> Result<Token, Fault> {
    if !seen.insert(raw.name.value.clone()) {
        return Err(Fault::at(&raw.name, format!("the token `{}` stands twice", raw.name.value)));
    }
    let scopes = each(some(raw.scopes, "`scopes`")?, |raw| {
        let scope: Scope = parsed(&raw)?;
        if scope.project != known.project {
            return Err(Fault::at(&raw, format!("the scope is of another project than {}", known.project)));
        }
        if scope.environment.as_ref().is_some_and(|own| !known.environments.contains(own)) {
            let known = known.environments.join(", ");
            return Err(Fault::at(&raw, format!("no such environment; known are {known}, and * for all")));
        }
        Ok(scope)
    })?;
    Ok(Token {
        name: checked(raw.name, name::plain_name)?,
        scopes,
        expires: raw.expires.as_ref().map(parsed).transpose()?,
        needs: each(raw.needs, |raw| known.pattern(&raw))?,
    })
}

fn policy(name: Spanned<String>, raw: RawPolicy, known: &Known) -> Result<Policy, Fault> {
    Ok(Policy {
        role: raw.role.unwrap_or_else(|| Role::of_name(&name.value)),
        name: checked(name, name::plain_name)?,
        description: checked(raw.description, line)?,
        environments: known.environments(raw.environments)?,
        paths: each(some(raw.paths, "`paths`")?, |raw| known.pattern(&raw))?,
        permissions: some(raw.permissions, "`permissions`")?.into_iter().map(|raw| raw.value).collect(),
    })
}

fn line(text: &str) -> Result<(), &'static str> {
    let is_line = text.len() <= 1_000 && !text.trim().is_empty() && !text.contains(char::is_control);
    if is_line { Ok(()) } else { Err("a description is a line of text") }
}
