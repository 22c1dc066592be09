//! Where the manager is, and as whom we come: from environment variables, and files that they name; never from flags.

use std::{
    fs::File,
    io::{self, Read},
    net::IpAddr,
};

use url::{Host, Url};

use crate::{model::Secret, store::StoreError};

/// For errors, before there is a host to name.
const STORE: &str = "infisical";
const CLOUD: &str = "https://app.infisical.com";
/// No credential is longer, in bytes.
const LONGEST: u64 = 64 << 10;

const URL: [&str; 2] = ["HEKATE_INFISICAL_URL", "INFISICAL_API_URL"];
const PROJECT: [&str; 2] = ["HEKATE_INFISICAL_PROJECT", "INFISICAL_PROJECT_ID"];
const CLIENT_ID: [&str; 2] = ["HEKATE_INFISICAL_CLIENT_ID", "INFISICAL_UNIVERSAL_AUTH_CLIENT_ID"];
const CLIENT_SECRET: [&str; 2] = ["HEKATE_INFISICAL_CLIENT_SECRET", "INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET"];
const TOKEN: [&str; 2] = ["HEKATE_INFISICAL_TOKEN", "INFISICAL_TOKEN"];
const USER_TOKEN: &str = "HEKATE_INFISICAL_USER_TOKEN";

const NO_LOGIN: &str = "nothing to log in with; set HEKATE_INFISICAL_CLIENT_ID and HEKATE_INFISICAL_CLIENT_SECRET (or …_SECRET_FILE) \
                        of a machine identity, or HEKATE_INFISICAL_TOKEN";
const NO_PROJECT: &str = "no project; set HEKATE_INFISICAL_PROJECT to its slug, id or name";

/// As whom we come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A machine identity with universal auth.
    Universal {
        /// Its client id.
        client_id: String,
        /// One of its client secrets.
        client_secret: Secret,
    },
    /// A service token, `st.…`, in the three parts that the server knows.
    Service(Secret),
    /// The access token of an identity or of a user.
    Access(Secret),
}

/// What the store can't do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InfisicalOptions {
    /// `https://host[:port]`, or http on this machine.
    pub origin: String,
    /// What stands before `/api` in paths: nothing, or a slash and more, with no slash at its end.
    pub base: String,
    /// The project's slug, id or name; a service token knows its own.
    pub project: Option<String>,
    /// As whom we come.
    pub login: Login,
    /// For what only users may ask: lists of versions.
    pub user_token: Option<Secret>,
}

impl InfisicalOptions {
    /// Reads environment variables: `HEKATE_INFISICAL_URL`, `…_PROJECT`, `…_CLIENT_ID`, `…_CLIENT_SECRET`, `…_TOKEN` and `…_USER_TOKEN`, those with
    /// secrets also as `…_FILE` with the path of a file. Where one is not set, Infisical's own name of it counts. `project` is what trusted config
    /// says, for where the environment does not.
    ///
    /// # Errors
    /// [`StoreError::Credentials`], with the variable that is missing or malformed, and how it is given.
    pub fn from_env(
        lookup: impl Fn(&str) -> Option<String>,
        project: Option<&str>,
    ) -> Result<Self, StoreError> {
        let variables = Variables(lookup);
        let login = variables.login()?;
        let project = variables.first(PROJECT).map(|(_, project)| project).or(project.map(str::to_owned));
        if project.is_none() && !matches!(login, Login::Service(_)) {
            return Err(wrong(NO_PROJECT));
        }
        let (name, address) = variables.first(URL).unwrap_or((URL[0], CLOUD.to_owned()));
        let (origin, base) = parse_address(&address).map_err(|why| wrong(format!("{name} {why}")))?;
        let user_token = variables.secret(USER_TOKEN)?;
        if let Some(token) = &user_token {
            check_token(USER_TOKEN, token)?;
        }
        Ok(Self { origin, base, project, login, user_token })
    }

    /// The host and its port.
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or(self.origin.as_str(), |(_, host)| host)
    }
}

fn wrong(what: impl Into<String>) -> StoreError {
    StoreError::Credentials { store: STORE.to_owned(), what: what.into() }
}

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// The value of a variable that is set and not empty.
    fn value(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// Our own, or else Infisical's, with its name.
    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, String)> {
        names.into_iter().find_map(|name| Some((name, self.value(name)?)))
    }

    /// The value of a variable, or the content of the file that `…_FILE` names.
    fn secret(&self, name: &str) -> Result<Option<Secret>, StoreError> {
        let file = format!("{name}_FILE");
        match (self.value(name), self.value(&file)) {
            (Some(_), Some(_)) => Err(wrong(format!("{name} and {file} are both set; unset one"))),
            (Some(value), None) => Ok(Some(Secret::new(value))),
            (None, Some(path)) => {
                let unread = |why: String| wrong(format!("{file}: read {path}: {why}"));
                let secret = read(&path).map_err(|error| unread(error.to_string()))?;
                if secret.is_empty() { Err(unread("it is empty".into())) } else { Ok(Some(secret)) }
            }
            (None, None) => Ok(None),
        }
    }

    /// Our own names first: who sets them means them, whatever else is in the environment.
    fn login(&self) -> Result<Login, StoreError> {
        let (token, id, secret) =
            (self.secret(TOKEN[0])?, self.value(CLIENT_ID[0]), self.secret(CLIENT_SECRET[0])?);
        match (token, id.is_some() || secret.is_some()) {
            (Some(_), true) => {
                Err(wrong(format!("{} and {} are both set; unset one", TOKEN[0], CLIENT_ID[0])))
            }
            (Some(token), false) => parse_token(TOKEN[0], token),
            (None, is_ours) => self.universal(id, secret, is_ours),
        }
    }

    fn universal(
        &self,
        id: Option<String>,
        secret: Option<Secret>,
        is_ours: bool,
    ) -> Result<Login, StoreError> {
        let id = id.or_else(|| self.value(CLIENT_ID[1]));
        let secret = if secret.is_some() { secret } else { self.secret(CLIENT_SECRET[1])? };
        match (id, secret) {
            (Some(client_id), Some(client_secret)) => {
                check_token(CLIENT_SECRET[0], &client_secret)?;
                Ok(Login::Universal { client_id, client_secret })
            }
            (Some(_), None) if is_ours => Err(wrong(format!("{0} or {0}_FILE is missing", CLIENT_SECRET[0]))),
            (None, Some(_)) if is_ours => Err(wrong(format!("{} is missing", CLIENT_ID[0]))),
            _ => match self.secret(TOKEN[1])? {
                Some(token) => parse_token(TOKEN[1], token),
                None => Err(wrong(NO_LOGIN)),
            },
        }
    }
}

/// A file's bytes without the line feed at its end.
fn read(path: &str) -> io::Result<Secret> {
    let file = File::open(path)?;
    let too_long = || io::Error::other(format!("it has more than {LONGEST} bytes"));
    if file.metadata()?.len() > LONGEST {
        return Err(too_long());
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(usize::try_from(LONGEST).unwrap_or(0) + 1));
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(too_long());
    }
    Ok(Secret::new(bytes.trim_ascii_end()))
}

/// A service token or an access token, by its looks.
fn parse_token(name: &str, token: Secret) -> Result<Login, StoreError> {
    check_token(name, &token)?;
    if !token.expose().starts_with(b"st.") {
        return Ok(Login::Access(token));
    }
    let parts: Vec<&[u8]> = token.expose().split(|byte| *byte == b'.').collect();
    // The fourth is the key with which old clients decrypted; the server takes the token without it only.
    if !(3..=4).contains(&parts.len()) || parts.iter().any(|part| part.is_empty()) {
        return Err(wrong(format!("{name} begins as a service token and is none: st.ID.SECRET")));
    }
    Ok(Login::Service(Secret::new(parts[..3].join(&b'.'))))
}

/// What goes into a header holds no line feed.
fn check_token(name: &str, token: &Secret) -> Result<(), StoreError> {
    if token.expose().iter().all(u8::is_ascii_graphic) {
        return Ok(());
    }
    Err(wrong(format!(
        "{name} has white space or other characters in it that no such secret has; set it anew"
    )))
}

/// Origin and base path of an address; why not, for after the variable's name.
fn parse_address(address: &str) -> Result<(String, String), String> {
    let url = Url::parse(address).map_err(|error| format!("is no address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a login in it; take it out, and see HEKATE_INFISICAL_TOKEN".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment in it; take it out".into());
    }
    let is_safe =
        url.scheme() == "https" || (url.scheme() == "http" && url.host().is_some_and(|host| is_here(&host)));
    if !is_safe || url.host().is_none() {
        return Err("is to be https://…; http:// only goes to this machine itself".into());
    }
    // The manager's own tools take the address with and without it.
    let path = url.path().trim_end_matches('/');
    let base = path.strip_suffix("/api").unwrap_or(path);
    Ok((url.origin().ascii_serialization(), base.to_owned()))
}

/// Whether it is this machine.
fn is_here(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => IpAddr::V4(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, iter};

    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<InfisicalOptions, StoreError> {
        let lookup =
            |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        InfisicalOptions::from_env(lookup, None)
    }

    fn fault(pairs: &[(&str, &str)]) -> String {
        read(pairs).unwrap_err().to_string()
    }

    const BASE: [(&str, &str); 2] =
        [("HEKATE_INFISICAL_PROJECT", "kosmos"), ("HEKATE_INFISICAL_TOKEN", "ey.a.b")];

    #[test]
    fn our_names_count_before_infisicals() {
        let options = read(&[
            ("HEKATE_INFISICAL_CLIENT_ID", "ours"),
            ("HEKATE_INFISICAL_CLIENT_SECRET", "s1"),
            ("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "theirs"),
            ("INFISICAL_TOKEN", "ey.a.b"),
            ("INFISICAL_PROJECT_ID", "kosmos"),
            ("INFISICAL_API_URL", "https://eu.infisical.com/api"),
        ]);
        let options = options.unwrap();
        let login = Login::Universal { client_id: "ours".into(), client_secret: Secret::new("s1") };
        assert_eq!(options.login, login);
        assert_eq!(options.project.as_deref(), Some("kosmos"));
        assert_eq!((options.origin.as_str(), options.base.as_str()), ("https://eu.infisical.com", ""));
        assert_eq!(options.host(), "eu.infisical.com");
        let options = read(&[
            ("HEKATE_INFISICAL_TOKEN", "ey.ours.b"),
            ("INFISICAL_UNIVERSAL_AUTH_CLIENT_ID", "theirs"),
            ("INFISICAL_UNIVERSAL_AUTH_CLIENT_SECRET", "s2"),
            ("INFISICAL_PROJECT_ID", "kosmos"),
        ]);
        assert_eq!(options.unwrap().login, Login::Access(Secret::new("ey.ours.b")));
    }

    #[test]
    fn a_service_token_is_cut_to_what_the_server_knows_and_needs_no_project() {
        for token in ["st.1.2", "st.1.2.3"] {
            let options = read(&[("INFISICAL_TOKEN", token)]).unwrap();
            assert_eq!(options.login, Login::Service(Secret::new("st.1.2")));
            assert_eq!(options.project, None);
        }
        for token in ["st.1", "st.1.", "st..2", "st.1.2.3.4"] {
            let fault = fault(&[("INFISICAL_TOKEN", token)]);
            assert!(fault.contains("INFISICAL_TOKEN begins as a service token and is none"), "{fault}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(fault(&[]).contains("HEKATE_INFISICAL_CLIENT_ID and HEKATE_INFISICAL_CLIENT_SECRET"));
        assert!(fault(&BASE[1..]).contains("HEKATE_INFISICAL_PROJECT"));
        let fault_of_id = fault(&[("HEKATE_INFISICAL_CLIENT_ID", "a")]);
        assert!(fault_of_id.contains("HEKATE_INFISICAL_CLIENT_SECRET_FILE is missing"), "{fault_of_id}");
        let fault_of_both = fault(&[BASE[1], ("HEKATE_INFISICAL_CLIENT_ID", "a")]);
        assert!(fault_of_both.contains("both set"), "{fault_of_both}");
    }

    #[test]
    fn addresses_are_https_or_on_this_machine() {
        let address = |address: &'static str| read(&[BASE[0], BASE[1], ("HEKATE_INFISICAL_URL", address)]);
        for (given, origin, base) in [
            ("https://secrets.example.com/", "https://secrets.example.com", ""),
            ("https://secrets.example.com:8443/api/", "https://secrets.example.com:8443", ""),
            ("https://example.com/vault/api", "https://example.com", "/vault"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080", ""),
            ("http://[::1]:8080", "http://[::1]:8080", ""),
            ("http://localhost", "http://localhost", ""),
        ] {
            let options = address(given).unwrap();
            assert_eq!((options.origin.as_str(), options.base.as_str()), (origin, base), "{given}");
        }
        for given in [
            "http://secrets.example.com",
            "http://localhost.example.com",
            "ftp://127.0.0.1",
            "file:///etc",
            "secrets.example.com",
            "https://user:hunter2@example.com",
            "https://example.com?token=hunter2",
        ] {
            let fault = address(given).unwrap_err().to_string();
            assert!(fault.contains("HEKATE_INFISICAL_URL"), "{given}: {fault}");
            assert!(!fault.contains("hunter2"), "{fault}");
        }
    }

    #[test]
    fn secrets_come_from_files_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token").display().to_string();
        let pairs = [BASE[0], ("HEKATE_INFISICAL_TOKEN_FILE", path.as_str())];
        assert!(fault(&pairs).contains("HEKATE_INFISICAL_TOKEN_FILE: read"));
        fs::write(&path, "").unwrap();
        assert!(fault(&pairs).contains("it is empty"));
        fs::write(&path, "ey.a.b\n").unwrap();
        assert_eq!(read(&pairs).unwrap().login, Login::Access(Secret::new("ey.a.b")));
        assert!(fault(&[pairs[0], pairs[1], BASE[1]]).contains("both set"));
        fs::write(&path, iter::repeat_n('a', 70_000).collect::<String>()).unwrap();
        assert!(fault(&pairs).contains("more than 65536 bytes"));
    }

    #[test]
    fn no_header_is_forged_by_a_token() {
        let fault = fault(&[BASE[0], ("HEKATE_INFISICAL_TOKEN", "hunter2\r\nhost: evil")]);
        assert!(fault.contains("HEKATE_INFISICAL_TOKEN has white space"), "{fault}");
        assert!(!fault.contains("hunter2"), "{fault}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", read(&BASE).unwrap());
        assert!(!shown.contains("ey.a.b"), "{shown}");
    }
}
