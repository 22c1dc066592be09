//! A user of Keycloak: <https://www.keycloak.org/docs-api/latest/rest-api/>
//!
//! The environment variable that names the administrator's password counts when Keycloak starts for the first time only, so that the
//! call is what changes it. Every login makes a session, which is ended again.

use serde_json::Value;

use super::{
    Accepts, Act, Means, Target, Trouble, Values,
    web::{Login, administrator, folder, origin, percent, send, unwanted},
};
use crate::{
    inventory,
    model::Secret,
    net::{Answer, Method, Request, Text},
};

/// A user of Keycloak whose password is changed by its administration.
#[derive(Debug, Clone, Copy)]
pub struct Keycloak<'a> {
    target: &'a inventory::Keycloak,
    means: Means<'a>,
}

/// Tokens of a session.
struct Session {
    access: Secret,
    refresh: Option<Secret>,
    realm: String,
}

/// What a login came to.
enum Entered {
    Session(Session),
    /// The password is right, and something has to be done before it counts.
    Incomplete,
    /// Wrong, or the user is locked for a while: the words are the same.
    Refused,
    Other(Answer),
}

impl<'a> Keycloak<'a> {
    /// The user that the inventory names.
    pub fn new(target: &'a inventory::Keycloak, means: Means<'a>) -> Self {
        Self { target, means }
    }

    fn request(&self, method: Method, path: impl Into<Text>) -> Request {
        let path = Text::from(folder(&self.target.url)).append(path.into());
        let mut request = Request::get(origin(&self.target.url), path).header("accept", "application/json");
        request.is_safe = method == Method::Get;
        request.method = method;
        request
    }

    fn enter(&self, login: &Login, realm: &str) -> Result<Entered, Trouble> {
        let path = format!("/realms/{}/protocol/openid-connect/token", percent(realm.as_bytes()));
        let user = percent(login.user.as_bytes());
        let form = Text::from(format!("grant_type=password&client_id=admin-cli&username={user}&password="))
            .secret(Secret::new(percent(login.password.expose())));
        let mut request =
            self.request(Method::Post, path).header("content-type", "application/x-www-form-urlencoded");
        request.body = Some(form);
        let answer = send(&self.means, &request).map_err(|trouble| match trouble {
            // At worst it left a session behind.
            Trouble::Unclear(why) => Trouble::Refused(why),
            other => other,
        })?;
        let json = answer.json().unwrap_or_default();
        let token = |name: &str| json[name].as_str().filter(|text| !text.is_empty()).map(Secret::new);
        if let (200, Some(access)) = (answer.status, token("access_token")) {
            let (refresh, realm) = (token("refresh_token"), realm.to_owned());
            return Ok(Entered::Session(Session { access, refresh, realm }));
        }
        let why = json["error_description"].as_str().unwrap_or_default();
        let is_grant = json["error"] == "invalid_grant" && matches!(answer.status, 400 | 401);
        Ok(match is_grant {
            true if why.contains("not fully set up") => Entered::Incomplete,
            true => Entered::Refused,
            false => Entered::Other(answer),
        })
    }

    /// A session of the administrator, or of the user itself with the first of these passwords; a second one is tried where the first
    /// is refused, each once.
    fn session(&self, own: &[&Secret]) -> Result<Session, Trouble> {
        let admin = administrator(&self.means, self.target.admin_url_env.as_deref(), &self.target.url)?;
        let logins: Vec<(Login, &str)> = match admin {
            Some(login) => vec![(login, "master")],
            None => own
                .iter()
                .map(|password| {
                    let login = Login { user: self.target.user.clone(), password: (*password).clone() };
                    (login, self.target.realm.as_str())
                })
                .collect(),
        };
        let mut why = Trouble::Refused("there is nobody to log in as".into());
        for (login, realm) in logins {
            why = match self.enter(&login, realm)? {
                Entered::Session(session) => return Ok(session),
                Entered::Incomplete => {
                    Trouble::Refused(format!("{} has to complete the account first", login.user))
                }
                Entered::Refused => Trouble::Refused(format!(
                    "Keycloak refuses the login of {}: the password is wrong, or the user is locked for a while",
                    login.user
                )),
                Entered::Other(answer) => {
                    return Err(Trouble::Refused(format!("log in: status {}", answer.status)));
                }
            };
        }
        Err(why)
    }

    /// Ends the session that was made for the work. It would end by itself in minutes.
    fn leave(&self, session: &Session) -> Result<(), Trouble> {
        let Some(refresh) = &session.refresh else { return Ok(()) };
        let realm = percent(session.realm.as_bytes());
        let path = format!("/realms/{realm}/protocol/openid-connect/logout");
        let form =
            Text::from("client_id=admin-cli&refresh_token=").secret(Secret::new(percent(refresh.expose())));
        let mut request =
            self.request(Method::Post, path).header("content-type", "application/x-www-form-urlencoded");
        request.body = Some(form);
        let answer = send(&self.means, &request)?;
        match answer.status {
            200 | 204 => Ok(()),
            // It went with the user's other sessions.
            400 => Ok(()),
            _ => Err(unwanted("end the session", &request, &answer)),
        }
    }

    fn as_admin(&self, method: Method, path: String, session: &Session) -> Request {
        self.request(method, path)
            .header("authorization", Text::from("Bearer ").secret(session.access.clone()))
    }

    fn users(&self) -> String {
        format!("/admin/realms/{}/users", percent(self.target.realm.as_bytes()))
    }

    /// The id of the one user whose name is exactly this.
    fn find(&self, session: &Session) -> Result<String, Trouble> {
        let user = percent(self.target.user.as_bytes());
        let path = format!("{}?username={user}&exact=true&max=10", self.users());
        let request = self.as_admin(Method::Get, path, session);
        let answer = send(&self.means, &request)?;
        let list = answer.json().filter(|_| answer.status == 200);
        let Some(Value::Array(users)) = list else {
            return Err(unwanted("look the user up", &request, &answer));
        };
        let is_it = |user: &&Value| {
            user["username"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&self.target.user))
        };
        let mut ids = users.iter().filter(is_it).filter_map(|user| user["id"].as_str());
        match (ids.next(), ids.next()) {
            (Some(id), None) => Ok(id.to_owned()),
            _ => Err(Trouble::Refused(format!(
                "realm {} has not exactly one user {}",
                self.target.realm, self.target.user
            ))),
        }
    }

    /// Does something in a session and ends it, whatever came of it. That the session could not be ended is told only where the work
    /// itself was done well: it then may be done again without harm.
    fn within<T>(
        &self,
        own: &[&Secret],
        work: impl FnOnce(&Session, &str) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let session = self.session(own)?;
        let done = self.find(&session).and_then(|id| work(&session, &id));
        let left = self.leave(&session);
        let done = done?;
        // A session of minutes is no reason to stop a rotation.
        drop(left);
        Ok(done)
    }

    fn set_password(&self, session: &Session, id: &str, value: &Secret) -> Result<(), Trouble> {
        let text = std::str::from_utf8(value.expose())
            .map_err(|_| Trouble::Refused("the new password is no text".into()))?;
        let quoted = zeroize::Zeroizing::new(Value::from(text).to_string());
        let path = format!("{}/{}/reset-password", self.users(), percent(id.as_bytes()));
        let mut request =
            self.as_admin(Method::Put, path, session).header("content-type", "application/json");
        let body = Text::from(r#"{"type":"password","temporary":false,"value":"#);
        request.body = Some(body.secret(Secret::new(quoted.as_bytes())).plain("}"));
        let answer = send(&self.means, &request)?;
        if answer.status == 204 { Ok(()) } else { Err(unwanted("change the password", &request, &answer)) }
    }

    fn log_out(&self, session: &Session, id: &str) -> Result<(), Trouble> {
        let path = format!("{}/{}/logout", self.users(), percent(id.as_bytes()));
        let request = self.as_admin(Method::Post, path, session);
        let answer = send(&self.means, &request)?;
        if answer.status == 204 { Ok(()) } else { Err(unwanted("end the sessions", &request, &answer)) }
    }

    fn line(&self, method: &str, path: &str) -> String {
        format!("{method} {}{}{path}", origin(&self.target.url), folder(&self.target.url))
    }
}

impl Target for Keycloak<'_> {
    fn name(&self) -> String {
        let (user, realm) = (&self.target.user, &self.target.realm);
        format!("Keycloak user {user} of realm {realm} at {}", origin(&self.target.url))
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let realm = if self.target.admin_url_env.is_some() { "master" } else { &self.target.realm };
        let mut lines = vec![
            self.line("POST", &format!("/realms/{realm}/protocol/openid-connect/token <password>")),
            self.line("GET", &format!("{}?username=<user>&exact=true", self.users())),
        ];
        let reset = |which: &str| {
            self.line("PUT", &format!("{}/<id>/reset-password <{which} password>", self.users()))
        };
        match act {
            Act::Check => {}
            Act::Introduce => lines.push(reset("new")),
            Act::Withdraw => lines.push(reset("old")),
            Act::EndSessions => lines.push(self.line("POST", &format!("{}/<id>/logout", self.users()))),
            Act::Contain | Act::Release | Act::Retire => return None,
        }
        lines.push(self.line("POST", &format!("/realms/{realm}/protocol/openid-connect/logout")));
        Some(lines)
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        match (act, values.new) {
            (Act::Check, _) => self.within(&[values.old], |_, _| Ok(())),
            // After a crash, the value to be set may be in force already.
            (Act::Introduce, Some(new)) => {
                self.within(&[values.old, new], |session, id| self.set_password(session, id, new))
            }
            (Act::Withdraw, Some(new)) => {
                self.within(&[new, values.old], |session, id| self.set_password(session, id, values.old))
            }
            (Act::EndSessions, new) => {
                self.within(&[new.unwrap_or(values.old)], |session, id| self.log_out(session, id))
            }
            _ => Ok(()),
        }
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        let login = Login { user: self.target.user.clone(), password: value.clone() };
        match self.enter(&login, &self.target.realm) {
            Ok(Entered::Session(session)) => {
                // What it was made for is known, and it ends by itself.
                drop(self.leave(&session));
                Accepts::Yes
            }
            Ok(Entered::Incomplete) => Accepts::Yes,
            Ok(Entered::Refused) => self.refusal(),
            Ok(Entered::Other(answer)) => {
                Accepts::Unknown(format!("status {} says nothing of the password", answer.status))
            }
            Err(trouble) => Accepts::Unknown(trouble.to_string()),
        }
    }
}

impl Keycloak<'_> {
    /// Whether a refusal was one of the password: the administrator can see whether the user is locked.
    fn refusal(&self) -> Accepts {
        if self.target.admin_url_env.is_none() {
            // Wrong passwords are shown one at a time, and far fewer than lock anybody.
            return Accepts::No;
        }
        let realm = percent(self.target.realm.as_bytes());
        let locked = self.within(&[], |session, id| {
            let id = percent(id.as_bytes());
            let path = format!("/admin/realms/{realm}/attack-detection/brute-force/users/{id}");
            let request = self.as_admin(Method::Get, path, session);
            let answer = send(&self.means, &request)?;
            let json = answer.json().filter(|_| answer.status == 200);
            json.ok_or_else(|| unwanted("look whether the user is locked", &request, &answer))
        });
        match locked {
            Ok(json) if json["disabled"].as_bool() == Some(false) => Accepts::No,
            Ok(_) => Accepts::Unknown("Keycloak has locked the user for a while".into()),
            Err(trouble) => Accepts::Unknown(trouble.to_string()),
        }
    }
}
