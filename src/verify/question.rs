//! What there is to be asked about a finding, and of whom.

use std::borrow::Cow;

use super::{
    Reader, Setup,
    companion::companions,
    dsn::Dsn,
    offline::Offline,
    recover::{Recovered, recover},
    trust::Database,
};
use crate::{
    model::{Evidence, Finding, Secret},
    provider::{
        Check, Credential, Role, check_of,
        login::{Service, Target},
    },
};

/// A question about one secret.
pub(super) enum Question {
    /// A provider is asked over HTTP.
    Http(Box<Http>),
    /// A login is tried.
    Login(Box<Target>),
    /// Nobody is told of it.
    Offline(Offline, Secret),
    /// Nobody is asked, and why.
    Nobody(String),
}

/// A secret with what belongs to it, and how it is asked about.
pub(super) struct Http {
    pub(super) check: Cow<'static, Check>,
    pub(super) rule: String,
    pub(super) value: Secret,
    pub(super) companions: Vec<(Role, Secret)>,
}

impl Http {
    /// As checks take it.
    pub(super) fn credential(&self) -> Credential<'_> {
        Credential { rule: &self.rule, value: &self.value, companions: self.companions.clone() }
    }
}

/// What makes two questions one.
pub(super) type Identity = (String, Vec<Secret>);

impl Question {
    /// The question about a finding.
    pub(super) fn about(finding: &Finding, reader: &dyn Reader, setup: &Setup<'_>) -> Self {
        let own = setup.trust.checks.get(&finding.rule);
        let check = own.map(|check| Cow::Owned(check.clone()));
        let check = check.or_else(|| check_of(&finding.rule).map(Cow::Borrowed));
        // Where nobody could be asked, nothing needs to be read.
        let offline = Offline::of(&finding.rule);
        let target = target(finding, setup);
        if check.is_none() && target.is_none() && offline.is_none() && !is_of_database(&finding.rule) {
            return Self::Nobody("nothing is known that could be asked about this kind of secret".into());
        }
        let recovered = match recover(finding, reader, setup.key) {
            Ok(recovered) => recovered,
            Err(why) => return Self::Nobody(format!("value not at hand: {why}")),
        };
        match (check, offline) {
            (Some(check), _) => {
                let companions = companions(&finding.rule, &recovered.around);
                let (rule, value) = (finding.rule.clone(), recovered.value);
                Self::Http(Box::new(Http { check, rule, value, companions }))
            }
            (None, Some(offline)) => Self::Offline(offline, recovered.value),
            (None, None) => match target {
                Some(database) => Self::Login(Box::new(at_target(database, recovered.value))),
                None => login(&finding.rule, &recovered, &setup.trust.databases)
                    .map_or_else(Self::Nobody, |target| Self::Login(Box::new(target))),
            },
        }
    }

    /// Who answers: its name in evidence.
    pub(super) fn asked(&self) -> Option<&str> {
        match self {
            Self::Http(http) => Some(&http.check.provider),
            Self::Login(target) => Some(target.service.name()),
            Self::Offline(..) => Some("offline"),
            Self::Nobody(_) => None,
        }
    }

    /// Equal questions are asked once: the two halves of a key, found each by itself, are one.
    pub(super) fn identity(&self) -> Option<Identity> {
        let mut secrets = match self {
            Self::Http(http) => {
                let halves = |(role, _): &&(Role, Secret)| matches!(role, Role::KeyId | Role::KeySecret);
                let halves = http.companions.iter().filter(halves).map(|(_, secret)| secret.clone());
                halves.chain([http.value.clone()]).collect::<Vec<_>>()
            }
            Self::Login(target) => {
                let place = format!("{}:{}", target.host, target.port);
                let user = target.user.clone().unwrap_or_default();
                vec![Secret::new(place), Secret::new(user), target.password.clone()]
            }
            Self::Offline(_, value) => vec![value.clone()],
            Self::Nobody(_) => return None,
        };
        secrets.sort();
        Some((self.asked()?.to_owned(), secrets))
    }
}

/// Where the inventory says that a known value is in force.
fn target<'a>(finding: &Finding, setup: &'a Setup<'_>) -> Option<&'a Database> {
    finding.evidence.iter().find_map(|evidence| match evidence {
        Evidence::Inventory { environment, path, form: None, .. } => {
            setup.trust.targets.get(&format!("{environment}:{path}"))
        }
        _ => None,
    })
}

fn at_target(database: &Database, password: Secret) -> Target {
    Target {
        service: database.service,
        host: database.host.clone(),
        port: database.port,
        user: database.user.clone(),
        password,
        database: database.database.clone(),
        tls: database.tls.clone(),
        is_replication: database.is_replication,
    }
}

/// Rules of passwords that log in to something which speaks no HTTP, with what that is; `None` where the text around says it.
const OF_DATABASES: &[(&str, Option<Service>)] = &[
    ("postgres-", Some(Service::Postgres)),
    ("mysql-", Some(Service::Mysql)),
    ("redis-", Some(Service::Redis)),
    ("nats-", Some(Service::Nats)),
    ("database-password", None),
    ("connection-string-password", None),
    ("jdbc-url-password", None),
    ("url-basic-auth", None),
];

fn is_of_database(rule: &str) -> bool {
    OF_DATABASES.iter().any(|(prefix, _)| rule.starts_with(prefix))
}

/// Where a password is tried: at a host that the text around it names and trusted config, too; or where it names none, at the only one
/// of its kind in trusted config.
fn login(rule: &str, recovered: &Recovered, trusted: &[Database]) -> Result<Target, String> {
    let dsn = recovered.around.iter().find_map(Dsn::around);
    let by_rule =
        OF_DATABASES.iter().find(|(prefix, _)| rule.starts_with(prefix)).and_then(|(_, known)| *known);
    let scheme = dsn.as_ref().and_then(|dsn| dsn.scheme.as_deref());
    let service = by_rule
        .or_else(|| scheme.and_then(Service::named))
        .ok_or("which kind of database it is for can't be told")?;
    let mut of_kind = trusted.iter().filter(|database| database.service == service);
    let dsn = dsn.unwrap_or_default();
    let database = if dsn.hosts.is_empty() && !dsn.is_url {
        let only = of_kind.next().filter(|_| of_kind.next().is_none());
        only.ok_or("its host is not known, and trusted config does not name just one of its kind under [[verify.databases]]")?
    } else {
        of_kind.find(|database| dsn.hosts.iter().any(|host| is_at(database, host))).ok_or(
            "its host is not in trusted config; name it under [[verify.databases]] there to have it asked",
        )?
    };
    let beside = || {
        let found = companions(rule, &recovered.around);
        let user = found.into_iter().find(|(role, _)| *role == Role::User)?;
        String::from_utf8(user.1.expose().to_vec()).ok()
    };
    Ok(Target {
        service,
        host: database.host.clone(),
        port: database.port,
        // In a URL the user stands there or nowhere.
        user: if dsn.is_url { dsn.user.clone() } else { dsn.user.clone().or_else(beside) }
            .or_else(|| database.user.clone()),
        password: dsn.password(&recovered.value),
        database: dsn.database.clone().or_else(|| database.database.clone()),
        tls: database.tls.clone(),
        is_replication: false,
    })
}

fn is_at(database: &Database, (host, port): &(String, Option<u16>)) -> bool {
    let bare = |host: &str| host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
    bare(&database.host) == bare(host) && port.unwrap_or(database.service.default_port()) == database.port
}
