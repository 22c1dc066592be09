//! A user of Redis or Dragonfly: its passwords, which can be several at once, its clients, and whether it is on.
//!
//! Redis takes hashes, so that it is never told the new value but in a login. Dragonfly reads hashes from its file only: it is told the
//! value itself, which needs TLS or a near server as its login does. An administrator does it, whose URL the inventory's
//! `admin_url_env` names; without one, or where that is the user itself, the user changes itself and can't be turned off.
//!
//! `CONFIG SET requirepass` is never used: Dragonfly keeps the old password beside it, and Redis would keep the new one in clear.

mod flavour;
mod user;

use super::{
    Accepts, Act, Means, Target, Trouble, Values,
    admin::{self, Actor, AdminUrl, Form, TlsWish, half_done, in_force, of_change, of_question},
};
use crate::{
    inventory::{self, CacheFlavour},
    model::Secret,
    provider::login::{self, CacheSession, Service, log_in},
};
use flavour::Change;
use user::User;

/// A user of Redis or Dragonfly, and who changes it.
#[derive(Debug)]
pub struct CacheUser<'a> {
    target: inventory::Cache,
    actor: Actor,
    tls: TlsWish,
    means: Means<'a>,
}

impl<'a> CacheUser<'a> {
    /// A user of the inventory, with what it is changed by.
    ///
    /// # Errors
    /// What is missing or contradicts itself, and what to do about it.
    pub fn new(target: &inventory::Cache, means: Means<'a>) -> Result<Self, String> {
        let target = target.clone();
        let (actor, tls) = match &target.admin_url_env {
            Some(variable) => administrator(&target, variable, means)?,
            None => (Actor::owner(&target.user), TlsWish::default()),
        };
        // Words of `ACL SETUSER` have lengths, so that a name can hold anything; the file that it is saved to is one of words.
        if target.user.is_empty() || target.user.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("a user of Redis has a name without spaces; correct `user` in the inventory".into());
        }
        Ok(Self { tls: tls.with_required(target.tls), target, actor, means })
    }

    fn product(&self) -> &'static str {
        match self.target.flavour {
            CacheFlavour::Redis => "Redis",
            CacheFlavour::Dragonfly => "Dragonfly",
        }
    }

    /// A session of whoever changes the user, with the first of `values` that is in force where that is the user itself.
    fn session(&self, values: &[&Secret]) -> Result<CacheSession, Trouble> {
        let session = admin::open_with(&self.actor, values, |user, password| {
            let stream = admin::connect(&self.target.host, self.target.port, self.means)?;
            let target = self.login(user, password, self.tls.at(&stream));
            CacheSession::open(&target, stream, self.means.limits.total)
        });
        session.map(|(session, _)| session)
    }

    fn login(&self, user: &str, password: &Secret, tls: login::Tls) -> login::Target {
        login::Target {
            service: Service::Redis,
            host: self.target.host.clone(),
            port: self.target.port,
            user: Some(user.to_owned()),
            password: password.clone(),
            database: None,
            tls,
            is_replication: false,
        }
    }

    /// The user as the server has it. One that is not there is an error: `ACL SETUSER` would make it.
    fn user(&self, session: &mut CacheSession) -> Result<User, Trouble> {
        let refused = |why: &str| Trouble::Refused(format!("{}: {why}", self.name()));
        let reply = session.run(&[b"ACL", b"GETUSER", self.target.user.as_bytes()]);
        let reply = reply.map_err(|error| refused(&format!("ACL GETUSER: {error}")))?;
        let user = User::read(&reply).ok_or_else(|| refused("there is no such user"))?;
        if user.needs_no_password {
            return Err(refused("it is let in with any password (nopass); give it one first"));
        }
        Ok(user)
    }

    /// Whether the user is there and can be changed.
    fn check(&self, values: &Values<'_>) -> Result<(), Trouble> {
        let mut session = self.session(&in_force(values))?;
        self.user(&mut session)?;
        // Redis gives rights to parts of a command. Who may change nothing of a user may change something; Dragonfly takes a change of
        // nothing for one, which resets the user's namespace, and has one right for all of `ACL`.
        if self.target.flavour == CacheFlavour::Redis {
            let nothing = session.run(&[b"ACL", b"SETUSER", self.target.user.as_bytes()]);
            nothing.map_err(|error| {
                Trouble::Refused(format!("{}: ACL SETUSER: {error}; grant it `+acl`", self.name()))
            })?;
        }
        session.close();
        Ok(())
    }

    /// Changes the user, and saves it where that can be done; [`Target::remains`] tries again, and tells where it can't.
    fn change(&self, change: Change, values: &Values<'_>) -> Result<(), Trouble> {
        let mut session = self.session(&change.order(values))?;
        let user = self.user(&mut session)?;
        let rules = flavour::rules(self.target.flavour, change, values, &user);
        self.set_user(&mut session, &rules)?;
        session.close();
        Ok(())
    }

    fn set_user(&self, session: &mut CacheSession, rules: &[Secret]) -> Result<(), Trouble> {
        if !rules.is_empty() {
            let head: [&[u8]; 3] = [b"ACL", b"SETUSER", self.target.user.as_bytes()];
            let words: Vec<&[u8]> = head.into_iter().chain(rules.iter().map(Secret::expose)).collect();
            session.run(&words).map_err(of_change)?;
        }
        // What is in force is what counts; `remains` saves once more, and says where that fails.
        self.save(session).unwrap_or_default();
        Ok(())
    }

    fn turn(&self, is_on: bool) -> Result<(), Trouble> {
        let mut session = self.session(&[])?;
        self.user(&mut session)?;
        self.set_user(&mut session, &[Secret::new(if is_on { "on" } else { "off" })])?;
        if !is_on {
            let ended = flavour::end_clients(self.target.flavour, &self.target.user, &mut session);
            ended.map_err(|trouble| half_done("it was turned off", trouble))?;
        }
        session.close();
        Ok(())
    }

    /// Writes the users to the server's own file; else why it can't.
    fn save(&self, session: &mut CacheSession) -> Result<(), String> {
        let aclfile = flavour::setting(session, "aclfile");
        let by_acl =
            self.target.flavour == CacheFlavour::Dragonfly || aclfile.is_none_or(|file| !file.is_empty());
        let command: [&[u8]; 2] = if by_acl { [b"ACL", b"SAVE"] } else { [b"CONFIG", b"REWRITE"] };
        session.run(&command).map(drop).map_err(|error| error.to_string())
    }

    /// Whether the user is off: then the server refuses a right password in the words of a wrong one.
    fn is_off(&self) -> bool {
        if self.actor.is_owner() {
            return false;
        }
        let Ok(mut session) = self.session(&[]) else { return false };
        let user = self.user(&mut session);
        session.close();
        user.is_ok_and(|user| user.is_off)
    }
}

fn administrator(
    target: &inventory::Cache,
    variable: &str,
    means: Means<'_>,
) -> Result<(Actor, TlsWish), String> {
    let form = Form {
        variable,
        schemes: &["redis", "rediss"],
        example: "redis://USER:PASSWORD@HOST:PORT, or rediss:// for TLS",
        host: &target.host,
        port: target.port,
        default_port: Service::Redis.default_port(),
    };
    let AdminUrl { scheme, user, password, tls, .. } = admin::admin_url(&form, means)?;
    if (scheme == "rediss") != target.tls {
        let (theirs, ours) = if target.tls { ("without TLS", "true") } else { ("with TLS", "false") };
        return Err(format!(
            "{variable}: the URL is one {theirs}, and the target in the inventory has `tls: {ours}`"
        ));
    }
    let user = user.unwrap_or_else(|| "default".into());
    Ok((Actor::administrator(&target.user, user, password), tls))
}

impl Target for CacheUser<'_> {
    fn name(&self) -> String {
        format!("{} user {} at {}:{}", self.product(), self.target.user, self.target.host, self.target.port)
    }

    fn overlaps(&self) -> bool {
        true
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let set = |rules: &str| format!("ACL SETUSER {} {rules}", self.target.user);
        let end = || flavour::shown_end(self.target.flavour, &self.target.user);
        let changed = |change: Change| Some(vec![set(flavour::shown(self.target.flavour, change))]);
        match act {
            Act::Check => Some(vec![format!("ACL GETUSER {}", self.target.user)]),
            Act::Contain | Act::Release if self.actor.is_owner() => None,
            Act::Contain => Some(vec![set("off"), end()]),
            Act::Release => Some(vec![set("on")]),
            Act::Introduce => changed(Change::Introduce),
            Act::Withdraw => changed(Change::Withdraw),
            Act::Retire => changed(Change::Retire),
            Act::EndSessions => Some(vec![end()]),
        }
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        if self.requests(act).is_none() {
            return Ok(());
        }
        match act {
            Act::Check => self.check(values),
            Act::Contain => self.turn(false),
            Act::Release => self.turn(true),
            Act::Introduce if values.new.is_none() => {
                Err(Trouble::Refused("there is no new value yet".into()))
            }
            Act::Introduce => self.change(Change::Introduce, values),
            Act::Withdraw => self.change(Change::Withdraw, values),
            Act::Retire => self.change(Change::Retire, values),
            Act::EndSessions => {
                let mut session = self.session(&in_force(values))?;
                flavour::end_clients(self.target.flavour, &self.target.user, &mut session)?;
                session.close();
                Ok(())
            }
        }
    }

    /// By a login. A user who is off is told apart where an administrator can ask: its passwords come back with `on`, so that none of them
    /// counts as refused.
    fn accepts(&self, value: &Secret) -> Accepts {
        let stream = admin::connect(&self.target.host, self.target.port, self.means);
        let accepts = admin::accepts(stream.map(|stream| {
            let target = self.login(&self.target.user, value, self.tls.at(&stream));
            log_in(&target, stream, self.means.limits.total)
        }));
        if accepts == Accepts::No && self.is_off() {
            return Accepts::Unknown("the user is off, and then every password is refused alike".into());
        }
        accepts
    }

    fn remains(&self, values: &Values<'_>) -> Result<Vec<String>, Trouble> {
        let mut session = self.session(&in_force(values))?;
        let mut notes = Vec::new();
        if let Err(why) = self.save(&mut session) {
            notes.push(format!(
                "a restart of the server brings the old password back ({why}): put the new one where its configuration comes from"
            ));
        }
        notes.extend(flavour::leftovers(self.target.flavour, &mut session, values.old));
        session.close();
        Ok(notes)
    }
}
