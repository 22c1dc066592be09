//! MinIO: root's password, which no call can change, and the secrets of access keys.
//!
//! Its administration takes a new secret only in a body that is encrypted in a way of its own, so that a person sets it with `mc`.
//! Switching an access key off and on takes no body.

use super::{
    Accepts, Act, Means, Target, Trouble, Values,
    web::{Login, administrator, occasion, origin, percent, send, unwanted},
};
use crate::{
    inventory,
    model::Secret,
    net::{Method, Text},
    provider::{Credential, Role, check_of, minio_admin},
};

const SET_STATUS: &str = "/minio/admin/v3/set-user-status";

/// MinIO's root, or one of its access keys.
#[derive(Debug, Clone, Copy)]
pub struct Minio<'a> {
    target: &'a inventory::Minio,
    means: Means<'a>,
}

impl<'a> Minio<'a> {
    /// What the inventory names.
    pub fn new(target: &'a inventory::Minio, means: Means<'a>) -> Self {
        Self { target, means }
    }

    fn user(&self) -> &str {
        let root = self.target.user.as_deref().unwrap_or("minioadmin");
        self.target.access_key.as_deref().unwrap_or(root)
    }

    fn rule(&self) -> &'static str {
        if self.target.access_key.is_some() { "minio-secret-key" } else { "minio-root-password" }
    }

    /// What a person does, a line each.
    fn steps(&self, which: &str) -> Vec<String> {
        match &self.target.access_key {
            None => vec![
                format!(
                    "let MINIO_ROOT_PASSWORD in the environment of every MinIO server (config.env of the operator's Secret) have the {which} value; MINIO_ROOT_USER stays {}",
                    self.user()
                ),
                "restart all servers of the deployment together: mc admin service restart ALIAS".into(),
            ],
            Some(key) => vec![
                format!(
                    "a user: `mc admin user add ALIAS {key}`, which asks for the secret: enter the {which} value; it stands on no command line"
                ),
                format!(
                    "an access key of a user: mc takes its secret on the command line only (`mc admin accesskey edit ALIAS {key} --secret-key …`), where other processes can see it: run that where no others are, or make another access key"
                ),
            ],
        }
    }

    fn await_person(&self, value: &Secret, which: &str) -> Result<(), Trouble> {
        if self.accepts(value) == Accepts::Yes { Ok(()) } else { Err(Trouble::Person(self.steps(which))) }
    }

    /// The administrator that may switch an access key off, where it is one and there is one.
    fn switcher(&self) -> Result<Option<(&str, Login)>, Trouble> {
        let Some(key) = self.target.access_key.as_deref() else { return Ok(None) };
        let admin = administrator(&self.means, self.target.admin_url_env.as_deref(), &self.target.url)?;
        Ok(admin.map(|login| (key, login)))
    }

    fn switch(&self, status: &str) -> Result<(), Trouble> {
        let Some((key, login)) = self.switcher()? else { return Ok(()) };
        let query = Text::from(format!("accessKey={}&status={status}", percent(key.as_bytes())));
        let id = Secret::new(login.user.as_bytes());
        let place = (Method::Put, origin(&self.target.url));
        let now = occasion().map_err(Trouble::Refused)?;
        let request =
            minio_admin((&id, &login.password), (place.0, place.1.as_str(), SET_STATUS), &query, &now)
                .map_err(Trouble::Refused)?;
        let answer = send(&self.means, &request)?;
        let body = String::from_utf8_lossy(answer.body.expose());
        if answer.status == 200 && body.trim().is_empty() {
            return Ok(());
        }
        // Keys of users are switched by another call, whose body is encrypted.
        let is_of_user = body.contains("IAMActionNotAllowed") || body.contains("NoSuchUser");
        if (400..500).contains(&answer.status) && is_of_user {
            let verb = if status == "disabled" { "disable" } else { "enable" };
            return Err(Trouble::Person(vec![format!("mc admin accesskey {verb} ALIAS {key}")]));
        }
        Err(unwanted(&format!("set {key} to {status}"), &request, &answer))
    }

    fn can_switch(&self) -> bool {
        self.target.access_key.is_some() && self.target.admin_url_env.is_some()
    }
}

impl Target for Minio<'_> {
    fn name(&self) -> String {
        let what = if self.target.access_key.is_some() { "access key" } else { "root" };
        format!("MinIO {what} {} at {}", self.user(), origin(&self.target.url))
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let place = origin(&self.target.url);
        let switch = |status: &str| {
            let line = format!("PUT {place}{SET_STATUS}?accessKey={}&status={status}", self.user());
            self.can_switch().then(|| vec![line])
        };
        match act {
            Act::Check => Some(vec![format!("GET {place}/")]),
            Act::Contain => switch("disabled"),
            Act::Release => switch("enabled"),
            Act::Introduce => Some(self.steps("new")),
            Act::Withdraw => Some(self.steps("old")),
            Act::Retire | Act::EndSessions => None,
        }
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        match (act, values.new) {
            (Act::Check, _) => {
                self.switcher()?;
                match self.accepts(values.old) {
                    Accepts::Unknown(why) => Err(Trouble::Refused(why)),
                    Accepts::Yes | Accepts::No => Ok(()),
                }
            }
            (Act::Contain, _) if self.can_switch() => self.switch("disabled"),
            (Act::Release, _) if self.can_switch() => self.switch("enabled"),
            (Act::Introduce, Some(new)) => self.await_person(new, "new"),
            (Act::Withdraw, Some(_)) => self.await_person(values.old, "old"),
            _ => Ok(()),
        }
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        let Some(check) = check_of(self.rule()) else {
            return Accepts::Unknown("there is no check of MinIO".into());
        };
        let companions = vec![(Role::KeyId, Secret::new(self.user()))];
        let credential = Credential { rule: self.rule(), value, companions };
        let made = occasion().and_then(|now| check.request_at(&credential, &origin(&self.target.url), &now));
        let answer =
            made.and_then(|request| self.means.send.send(&request).map_err(|failure| failure.to_string()));
        match answer {
            Ok(answer) => super::verdict(check.read(&credential, &answer).verdict),
            Err(why) => Accepts::Unknown(why),
        }
    }
}
