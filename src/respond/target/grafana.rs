//! A user of Grafana: <https://grafana.com/docs/grafana/latest/developers/http_api/admin/>
//!
//! The environment variable that names a password counts when Grafana starts for the first time only, so that the call is what changes
//! it.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    Accepts, Act, Means, Target, Trouble, Values,
    web::{Login, administrator, folder, origin, percent, send, unwanted},
};
use crate::{
    inventory::WebLogin,
    model::Secret,
    net::{Method, Request, Text},
};

/// A user of Grafana whose password is changed by its administration.
#[derive(Debug, Clone, Copy)]
pub struct Grafana<'a> {
    target: &'a WebLogin,
    means: Means<'a>,
}

impl<'a> Grafana<'a> {
    /// The user that the inventory names.
    pub fn new(target: &'a WebLogin, means: Means<'a>) -> Self {
        Self { target, means }
    }

    /// Who acts: the administrator, or else the user itself with a password.
    fn login(&self, own: &Secret) -> Result<Login, Trouble> {
        let admin = administrator(&self.means, self.target.admin_url_env.as_deref(), &self.target.url)?;
        Ok(admin.unwrap_or_else(|| Login { user: self.target.user.clone(), password: own.clone() }))
    }

    fn request(&self, method: Method, path: impl Into<Text>, login: &Login) -> Request {
        let pair = [login.user.as_bytes(), b":", login.password.expose()].concat();
        let pair = Secret::new(pair);
        let basic = Text::from("Basic ").secret(Secret::new(STANDARD.encode(pair.expose())));
        let path = Text::from(folder(&self.target.url)).append(path.into());
        let mut request = Request::get(origin(&self.target.url), path)
            .header("authorization", basic)
            .header("accept", "application/json");
        request.is_safe = method == Method::Get;
        request.method = method;
        request
    }

    /// The user's id, of the one whose login is exactly this.
    fn find(&self, login: &Login) -> Result<i64, Trouble> {
        let path = format!("/api/users/lookup?loginOrEmail={}", percent(self.target.user.as_bytes()));
        let mut request = self.request(Method::Get, path, login);
        // A wrong password counts towards a lock: it is shown once.
        request.is_safe = false;
        let answer = send(&self.means, &request).map_err(harmless)?;
        let json = answer.json().filter(|_| answer.status == 200);
        let Some(json) = json else {
            return Err(harmless(unwanted("look the user up", &request, &answer)));
        };
        let is_exact = json["login"].as_str() == Some(self.target.user.as_str());
        json["id"].as_i64().filter(|_| is_exact).ok_or_else(|| {
            Trouble::Refused(format!("Grafana has no user with the login {}", self.target.user))
        })
    }

    fn set_password(&self, old: &Secret, new: &Secret) -> Result<(), Trouble> {
        let login = self.login(old)?;
        let id = self.find(&login)?;
        let mut request = self.request(Method::Put, format!("/api/admin/users/{id}/password"), &login);
        request = request.header("content-type", "application/json");
        request.body = Some(json_text("password", new)?);
        let answer = send(&self.means, &request)?;
        let is_done = answer.status == 200 && answer.json().is_some_and(|json| json["message"].is_string());
        if is_done { Ok(()) } else { Err(unwanted("change the password", &request, &answer)) }
    }

    fn log_out(&self, values: &Values<'_>) -> Result<(), Trouble> {
        let login = self.login(values.new.unwrap_or(values.old))?;
        let id = self.find(&login)?;
        let request = self.request(Method::Post, format!("/api/admin/users/{id}/logout"), &login);
        let answer = send(&self.means, &request)?;
        let is_done = answer.status == 200 && answer.json().is_some_and(|json| json["message"].is_string());
        if is_done { Ok(()) } else { Err(unwanted("end the sessions", &request, &answer)) }
    }

    /// Whether the value is in force already; asking costs nothing where it is.
    fn is_in_force(&self, value: &Secret) -> bool {
        self.target.admin_url_env.is_none() && self.accepts(value) == Accepts::Yes
    }

    fn line(&self, method: &str, path: &str) -> String {
        format!("{method} {}{}{path}", origin(&self.target.url), folder(&self.target.url))
    }
}

/// Reading changes nothing, even where its answer got lost.
fn harmless(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Unclear(why) => Trouble::Refused(why),
        other => other,
    }
}

/// `{"name":"value"}`
fn json_text(name: &str, value: &Secret) -> Result<Text, Trouble> {
    let text = std::str::from_utf8(value.expose())
        .map_err(|_| Trouble::Refused("the new password is no text".into()))?;
    let quoted = zeroize::Zeroizing::new(serde_json::Value::from(text).to_string());
    Ok(Text::from(format!("{{\"{name}\":")).secret(Secret::new(quoted.as_bytes())).plain("}"))
}

impl Target for Grafana<'_> {
    fn name(&self) -> String {
        format!("Grafana user {} at {}", self.target.user, origin(&self.target.url))
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let lookup = self.line("GET", "/api/users/lookup?loginOrEmail=<user>");
        let second = match act {
            Act::Check => return Some(vec![lookup]),
            Act::Introduce => self.line("PUT", "/api/admin/users/<id>/password <new password>"),
            Act::Withdraw => self.line("PUT", "/api/admin/users/<id>/password <old password>"),
            Act::EndSessions => self.line("POST", "/api/admin/users/<id>/logout"),
            Act::Contain | Act::Release | Act::Retire => return None,
        };
        Some(vec![lookup, second])
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        match (act, values.new) {
            (Act::Check, _) => self.find(&self.login(values.old)?).map(|_| ()),
            (Act::Introduce, Some(new)) if self.is_in_force(new) => Ok(()),
            (Act::Introduce, Some(new)) => self.set_password(values.old, new),
            (Act::Withdraw, Some(_)) if self.is_in_force(values.old) => Ok(()),
            (Act::Withdraw, Some(new)) => self.set_password(new, values.old),
            (Act::EndSessions, _) => self.log_out(values),
            _ => Ok(()),
        }
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        let login = Login { user: self.target.user.clone(), password: value.clone() };
        let mut request = self.request(Method::Get, "/api/org", &login);
        request.is_safe = false;
        let answer = match self.means.send.send(&request) {
            Ok(answer) => answer,
            Err(failure) => return Accepts::Unknown(failure.to_string()),
        };
        let json = answer.json().unwrap_or_default();
        let message = json["message"].as_str();
        match (answer.status, message) {
            (200, _) if json["id"].is_number() => Accepts::Yes,
            (403, Some(_)) => Accepts::Yes,
            (401, Some(text)) if text.contains("blocked") || text.contains("too many") => {
                Accepts::Unknown("Grafana has locked the user for a while".into())
            }
            (401, Some(_)) => Accepts::No,
            (status, _) => Accepts::Unknown(format!("status {status} says nothing of the password")),
        }
    }
}
