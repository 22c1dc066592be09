//! A role of PostgreSQL: its password changed by a verifier that is made here, its sessions ended, its login taken and given back.
//!
//! An administrator does it, whose URL the inventory's `admin_url_env` names. Without one, or where that is the role itself, the role
//! changes its own password: it logs in with whichever of the values is in force. Then there is no containment, since a role that took its
//! own login away could not give it back.
//!
//! A role has one password. The new value is in force from the moment that [`Act::Introduce`] is done, and the old one is not.

mod rights;
mod sql;

use super::{
    Accepts, Act, Means, Target, Trouble, Values,
    admin::{self, Actor, AdminUrl, Form, TlsWish, half_done, in_force, of_change, of_question},
    scram,
};
use crate::{
    inventory,
    model::Secret,
    provider::login::{self, Row, Service, SqlSession, log_in},
};
use rights::Rights;
use sql::{identifier, literal};

/// How often it is looked whether the ended sessions are gone, and how long is waited in between, in seconds.
const LOOKS: usize = 60;
const PAUSE: &str = "0.05";

/// A role of PostgreSQL, and who changes it.
#[derive(Debug)]
pub struct PostgresRole<'a> {
    target: inventory::Postgres,
    actor: Actor,
    tls: TlsWish,
    /// The role's name as an identifier, and as a text.
    identifier: String,
    literal: String,
    means: Means<'a>,
}

impl<'a> PostgresRole<'a> {
    /// A role of the inventory, with what it is changed by.
    ///
    /// # Errors
    /// What is missing or contradicts itself, and what to do about it.
    pub fn new(target: &inventory::Postgres, means: Means<'a>) -> Result<Self, String> {
        let target = target.clone();
        let (actor, tls) = match &target.admin_url_env {
            Some(variable) => administrator(&target, variable, means)?,
            None => (Actor::owner(&target.role), TlsWish::default()),
        };
        let (identifier, literal) = (identifier(&target.role)?, literal(&target.role)?);
        let role = Self { target, actor, tls, identifier, literal, means };
        if role.actor.is_owner() && role.target.replication {
            return Err(format!(
                "{} logs in for replication only and can't change its own password: name an administrator's URL in `admin_url_env`",
                role.name()
            ));
        }
        Ok(role)
    }

    /// A session of whoever changes the role; the place tells which of `values` is in force, where it is the role itself.
    fn session(&self, values: &[&Secret]) -> Result<(SqlSession, usize), Trouble> {
        admin::open_with(&self.actor, values, |user, password| {
            let stream = admin::connect(&self.target.host, self.target.port, self.means)?;
            let target = login::Target {
                database: Some(self.target.database.clone()),
                is_replication: false,
                ..self.login(user, password, self.tls.at(&stream))
            };
            SqlSession::open(&target, stream, self.means.limits.total)
        })
    }

    /// A login as the inventory says that the role logs in.
    fn login(&self, user: &str, password: &Secret, tls: login::Tls) -> login::Target {
        login::Target {
            service: Service::Postgres,
            host: self.target.host.clone(),
            port: self.target.port,
            user: Some(user.to_owned()),
            password: password.clone(),
            database: (!self.target.replication).then(|| self.target.database.clone()),
            tls,
            is_replication: self.target.replication,
        }
    }

    fn check(&self, values: &Values<'_>) -> Result<(), Trouble> {
        let (mut session, _) = self.session(&in_force(values))?;
        let rows = session.run(&Secret::new(Rights::question(&self.literal))).map_err(of_question)?;
        session.close();
        let rights = Rights::read(&rows).ok_or_else(|| no_sense("the role's rights"))?;
        rights
            .may_rotate(self.actor.is_owner())
            .map_err(|why| Trouble::Refused(format!("{}: {why}", self.name())))
    }

    /// Makes `wanted` the role's password; `other` may be it still.
    fn set_password(&self, wanted: &Secret, other: Option<&Secret>) -> Result<(), Trouble> {
        let values: Vec<&Secret> = other.into_iter().chain([wanted]).collect();
        let (mut session, place) = self.session(&values)?;
        if self.actor.is_owner() && values.get(place) == Some(&wanted) {
            session.close();
            return Ok(());
        }
        let rounds = server_rounds(&mut session)?;
        let verifier = scram::verifier(wanted, rounds).map_err(Trouble::Refused)?;
        // A verifier is letters, digits and `+/=$:-`, so that it ends no literal.
        let head = format!("ALTER ROLE {} PASSWORD '", self.identifier);
        let statement = Secret::new([head.as_bytes(), verifier.expose(), b"'"].concat());
        session.run(&statement).map_err(of_change)?;
        session.close();
        Ok(())
    }

    fn let_log_in(&self, may: bool) -> Result<(), Trouble> {
        let (mut session, _) = self.session(&[])?;
        session.run(&Secret::new(self.alter_login(may))).map_err(of_change)?;
        if !may {
            self.end_sessions(&mut session).map_err(|trouble| half_done("its login was taken", trouble))?;
        }
        session.close();
        Ok(())
    }

    fn alter_login(&self, may: bool) -> String {
        format!("ALTER ROLE {} {}", self.identifier, if may { "LOGIN" } else { "NOLOGIN" })
    }

    /// Ends every session of the role but this one, and waits until they are gone.
    fn end_sessions(&self, session: &mut SqlSession) -> Result<(), Trouble> {
        let ended = session.run(&Secret::new(self.terminate())).map_err(of_change)?;
        let since = single(&ended).ok_or_else(|| no_sense("when the sessions were ended"))?;
        let since = literal(since).map_err(Trouble::Refused)?;
        let open = Secret::new(format!(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = {} AND pid <> pg_backend_pid() \
             AND backend_start <= {since}::timestamptz",
            self.literal
        ));
        let pause = Secret::new(format!("SELECT pg_sleep({PAUSE})"));
        let unknown = |error| half_done("sessions were told to end", of_question(error));
        for _ in 0..LOOKS {
            match single(&session.run(&open).map_err(unknown)?) {
                Some("0") => return Ok(()),
                Some(_) => session.run(&pause).map_err(unknown)?,
                None => return Err(no_sense("which sessions are open")),
            };
        }
        Err(Trouble::Unclear("some sessions were told to end and are still open".into()))
    }

    /// The time is the statement's, before which every session that it sees was opened.
    fn terminate(&self) -> String {
        format!(
            "SELECT now()::text, count(pg_terminate_backend(pid)) FROM pg_stat_activity \
             WHERE usename = {} AND pid <> pg_backend_pid()",
            self.literal
        )
    }
}

fn administrator(
    target: &inventory::Postgres,
    variable: &str,
    means: Means<'_>,
) -> Result<(Actor, TlsWish), String> {
    let form = Form {
        variable,
        schemes: &["postgres", "postgresql"],
        example: "postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full&sslrootcert=FILE",
        host: &target.host,
        port: target.port,
        default_port: Service::Postgres.default_port(),
    };
    let AdminUrl { user, password, path, tls, .. } = admin::admin_url(&form, means)?;
    let user = user.ok_or_else(|| format!("{variable}: the URL names no user"))?;
    if !path.is_empty() && path != target.database {
        return Err(format!(
            "{variable}: the URL's database is not that of the target in the inventory, {}",
            target.database
        ));
    }
    Ok((Actor::administrator(&target.role, user, password), tls))
}

/// How many rounds the server would do for a password it is told; and that it knows verifiers at all: before 10, one would become the
/// password itself.
fn server_rounds(session: &mut SqlSession) -> Result<Option<u32>, Trouble> {
    let question = "SELECT current_setting('server_version_num'), current_setting('scram_iterations', true)";
    let rows = session.run(&Secret::new(question)).map_err(of_question)?;
    let [row] = rows.as_slice() else { return Err(no_sense("its version")) };
    let [version, rounds] = row.as_slice() else { return Err(no_sense("its version")) };
    match version.as_deref().and_then(|version| version.parse::<u32>().ok()) {
        Some(version) if version >= rights::FIRST_WITH_SCRAM => {
            Ok(rounds.as_deref().and_then(|rounds| rounds.parse().ok()))
        }
        Some(_) => Err(Trouble::Refused("the server is older than PostgreSQL 10 and knows no SCRAM".into())),
        None => Err(no_sense("its version")),
    }
}

/// The first column of the only row.
fn single(rows: &[Row]) -> Option<&str> {
    let [row] = rows else { return None };
    row.first()?.as_deref()
}

fn no_sense(what: &str) -> Trouble {
    Trouble::Refused(format!("the server was asked for {what}, and its answer makes no sense"))
}

impl Target for PostgresRole<'_> {
    fn name(&self) -> String {
        format!("PostgreSQL role {} at {}:{}", self.target.role, self.target.host, self.target.port)
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let password = || format!("ALTER ROLE {} PASSWORD 'SCRAM-SHA-256$…'", self.identifier);
        match act {
            Act::Check => Some(vec![format!("SELECT … FROM pg_roles WHERE rolname = {}", self.literal)]),
            Act::Contain | Act::Release if self.actor.is_owner() => None,
            Act::Contain => Some(vec![self.alter_login(false), self.terminate()]),
            Act::Release => Some(vec![self.alter_login(true)]),
            Act::Introduce | Act::Withdraw => Some(vec![password()]),
            Act::Retire => None,
            Act::EndSessions => Some(vec![self.terminate()]),
        }
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        if self.requests(act).is_none() {
            return Ok(());
        }
        match act {
            Act::Check => self.check(values),
            Act::Contain => self.let_log_in(false),
            Act::Release => self.let_log_in(true),
            Act::Introduce => match values.new {
                Some(new) => self.set_password(new, Some(values.old)),
                None => Err(Trouble::Refused("there is no new value yet".into())),
            },
            Act::Withdraw => self.set_password(values.old, values.new),
            Act::Retire => Ok(()),
            Act::EndSessions => {
                let (mut session, _) = self.session(&in_force(values))?;
                self.end_sessions(&mut session)?;
                session.close();
                Ok(())
            }
        }
    }

    /// By a login, which runs nothing. While the role may not log in, nobody can tell which value is accepted: a right password is told
    /// apart from a wrong one, but a value that comes back with `LOGIN` must not count as refused.
    fn accepts(&self, value: &Secret) -> Accepts {
        let stream = admin::connect(&self.target.host, self.target.port, self.means);
        admin::accepts(stream.map(|stream| {
            let target = self.login(&self.target.role, value, self.tls.at(&stream));
            log_in(&target, stream, self.means.limits.total)
        }))
    }

    fn remains(&self, _values: &Values<'_>) -> Result<Vec<String>, Trouble> {
        let standbys = "every standby logs in with this role: its `primary_conninfo` (or passfile) needs the new value, then a reload";
        Ok(if self.target.replication { vec![standbys.to_owned()] } else { Vec::new() })
    }
}
