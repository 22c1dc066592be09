//! What Redis and Dragonfly are told, which differs. Sources: rotation-api.md, section 3; for Dragonfly's `CLIENT KILL`, which knows ids and
//! addresses and no users, its pull request 2404.

use sha2::{Digest, Sha256};

use super::{Trouble, Values, of_change, of_question, user::User};
use crate::{
    inventory::CacheFlavour,
    model::Secret,
    provider::login::{CacheSession, Reply},
};

/// A change of a user's passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    Introduce,
    Withdraw,
    Retire,
}

impl Change {
    /// Which value is in force before it, for who has to log in with one: the likelier first.
    pub(super) fn order<'v>(self, values: &Values<'v>) -> Vec<&'v Secret> {
        let new = values.new.into_iter();
        match self {
            Self::Introduce | Self::Withdraw => [values.old].into_iter().chain(new).collect(),
            Self::Retire => new.chain([values.old]).collect(),
        }
    }

    /// The value that is valid afterwards, and the one that no longer is.
    fn outcome<'v>(self, values: &Values<'v>) -> (Option<&'v Secret>, Option<&'v Secret>) {
        match self {
            Self::Introduce => (values.new, None),
            Self::Withdraw => (Some(values.old), values.new),
            Self::Retire => (values.new, Some(values.old)),
        }
    }
}

/// The words of `ACL SETUSER` that bring a change about; none where it is done already.
pub(super) fn rules(flavour: CacheFlavour, change: Change, values: &Values<'_>, user: &User) -> Vec<Secret> {
    let (valid, invalid) = change.outcome(values);
    match flavour {
        CacheFlavour::Redis => {
            let has = |value: &&Secret| user.hashes.contains(&hash(value));
            // Both in one command, which Redis does whole or not at all, so that the user always has a password.
            let add = valid.filter(|value| !has(value)).map(|value| rule("#", hash(value).as_bytes()));
            let take = invalid.filter(has).map(|value| rule("!", hash(value).as_bytes()));
            add.into_iter().chain(take).collect()
        }
        CacheFlavour::Dragonfly => {
            let reset = invalid.map(|_| Secret::new("resetpass"));
            let add = valid.map(|value| rule(">", value.expose()));
            reset.into_iter().chain(add).collect()
        }
    }
}

fn rule(sign: &str, rest: &[u8]) -> Secret {
    Secret::new([sign.as_bytes(), rest].concat())
}

/// SHA-256 in hexadecimal, as Redis keeps passwords.
fn hash(value: &Secret) -> String {
    Sha256::digest(value.expose()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same for plans.
pub(super) fn shown(flavour: CacheFlavour, change: Change) -> &'static str {
    match (flavour, change) {
        (CacheFlavour::Redis, Change::Introduce) => "#<sha256 of the new value>",
        (CacheFlavour::Redis, Change::Withdraw) => "#<sha256 of the old value> !<sha256 of the new value>",
        (CacheFlavour::Redis, Change::Retire) => "#<sha256 of the new value> !<sha256 of the old value>",
        (CacheFlavour::Dragonfly, Change::Introduce) => "><new value>",
        (CacheFlavour::Dragonfly, Change::Withdraw) => "resetpass ><old value>",
        (CacheFlavour::Dragonfly, Change::Retire) => "resetpass ><new value>",
    }
}

/// How clients are ended, for plans.
pub(super) fn shown_end(flavour: CacheFlavour, user: &str) -> String {
    match flavour {
        CacheFlavour::Redis => format!("CLIENT KILL USER {user} SKIPME yes"),
        CacheFlavour::Dragonfly => "CLIENT KILL ID <each client's but this one's>".into(),
    }
}

/// Ends the clients of a user. Dragonfly does not tell whose a client is: there, all but this one are, and connect anew.
pub(super) fn end_clients(
    flavour: CacheFlavour,
    user: &str,
    session: &mut CacheSession,
) -> Result<(), Trouble> {
    match flavour {
        CacheFlavour::Redis => {
            let kill: [&[u8]; 6] = [b"CLIENT", b"KILL", b"USER", user.as_bytes(), b"SKIPME", b"yes"];
            session.run(&kill).map(drop).map_err(of_change)
        }
        CacheFlavour::Dragonfly => end_each(session),
    }
}

fn end_each(session: &mut CacheSession) -> Result<(), Trouble> {
    let Reply::Integer(own) = session.run(&[b"CLIENT", b"ID"]).map_err(of_question)? else {
        return Err(Trouble::Refused("the server does not tell which client this is".into()));
    };
    for id in clients(session)?.into_iter().filter(|id| *id != own) {
        // A client that left by itself is an error too; the list below tells them apart.
        let killed = session.run(&[b"CLIENT", b"KILL", b"ID", id.to_string().as_bytes()]);
        if let Err(error) = killed
            && clients(session)?.contains(&id)
        {
            return Err(of_change(error));
        }
    }
    Ok(())
}

/// The ids in `CLIENT LIST`: a line for each client, with words like `id=7`.
fn clients(session: &mut CacheSession) -> Result<Vec<i64>, Trouble> {
    let list = session.run(&[b"CLIENT", b"LIST"]).map_err(of_question)?;
    let text = list.text().map(|text| String::from_utf8_lossy(text.expose()).into_owned());
    let id = |line: &str| line.split(' ').find_map(|word| word.strip_prefix("id="))?.parse().ok();
    let lines = text.as_deref().unwrap_or_default().lines().filter(|line| !line.trim().is_empty());
    let ids: Option<Vec<i64>> = lines.map(id).collect();
    ids.filter(|ids| !ids.is_empty())
        .ok_or_else(|| Trouble::Refused("the server's list of clients makes no sense".into()))
}

/// A setting of the server; none where it does not tell.
pub(super) fn setting(session: &mut CacheSession, name: &str) -> Option<Secret> {
    let reply = session.run(&[b"CONFIG", b"GET", name.as_bytes()]).ok()?;
    match reply.list()? {
        [_, value] => value.text().cloned(),
        _ => None,
    }
}

/// Settings that can hold a password beside the users', and what is to be done where it is the old one still.
const COPIES: &[(&str, &str)] = &[
    (
        "requirepass",
        "`requirepass` of the running server still shows the old value to whoever may read its settings, and its config file may hold it: \
         take it out there; the users' own lines are what counts",
    ),
    (
        "masterauth",
        "`masterauth` is still the old value: set the new one on this server and on every replica, or replication stops",
    ),
];

/// What is left of the old value in the server, and whom it does not reach.
pub(super) fn leftovers(flavour: CacheFlavour, session: &mut CacheSession, old: &Secret) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, note) in COPIES {
        if setting(session, name).is_some_and(|value| value == *old) {
            notes.push((*note).to_owned());
        }
    }
    if has_replicas(session) {
        notes.push(
            "users are not replicated: change this user on every replica too, and the password by which they log in here".into(),
        );
    }
    if setting(session, "cluster-enabled").is_some_and(|value| value.expose() == b"yes") {
        notes.push("users are not shared in a cluster: change this user on every other node too".into());
    }
    if flavour == CacheFlavour::Dragonfly {
        notes.push(
            "where the server gets its password from `--requirepass` or its environment, that needs the new value, or a restart brings the old one back".into(),
        );
    }
    notes
}

/// `ROLE` says `master`, an offset, and the replicas.
fn has_replicas(session: &mut CacheSession) -> bool {
    let Ok(reply) = session.run(&[b"ROLE"]) else { return false };
    let replicas = reply.list().into_iter().flatten().skip(1).find_map(Reply::list);
    replicas.is_some_and(|replicas| !replicas.is_empty())
}
