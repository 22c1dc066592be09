//! What the server holds: a project with its secrets, and who may do what.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use crate::secrets;

/// How the server behaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// It has no v4 routes.
    pub(crate) is_old: bool,
    /// Changes wait for an approval.
    pub(crate) needs_approval: bool,
    /// Changes in these folders do.
    pub(crate) approval_folders: Vec<String>,
    /// So many requests are taken, then each is answered with 429: the cloud.
    pub(crate) requests_left: Option<usize>,
    /// Seconds that tokens last; 0 is for ever.
    pub(crate) token_ttl: u64,
    /// Listings come in pages of so many.
    pub(crate) page: Option<usize>,
    /// Versions that a secret keeps; 0 is all.
    pub(crate) kept_versions: usize,
}

/// One version of a secret.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) id: String,
    pub(crate) number: u64,
    pub(crate) value: String,
    pub(crate) comment: String,
    /// Seconds since 1970.
    pub(crate) time: i64,
    pub(crate) is_redacted: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredSecret {
    pub(crate) id: String,
    pub(crate) environment: String,
    pub(crate) folder: String,
    pub(crate) name: String,
    pub(crate) is_personal: bool,
    /// Oldest first.
    pub(crate) versions: Vec<Version>,
}

impl StoredSecret {
    pub(crate) fn current(&self) -> &Version {
        self.versions.last().expect("a secret has a version")
    }
}

/// What an identity may do in the project.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rights {
    pub(crate) is_member: bool,
    /// Folders that it can read, with those in them; none is all.
    pub(crate) reads: Option<Vec<String>>,
    /// Folders of which it knows the names and not the values.
    pub(crate) describes: Vec<String>,
    pub(crate) writes: bool,
    /// Folders that it can't write to all the same.
    pub(crate) keeps_off: Vec<String>,
    /// On identities of the organization: revoking client secrets, deleting.
    pub(crate) is_admin: bool,
}

impl Rights {
    /// An admin of the project.
    pub(crate) fn all() -> Self {
        Self { is_member: true, writes: true, ..Self::default() }
    }

    pub(crate) fn viewer() -> Self {
        Self { is_member: true, ..Self::default() }
    }

    /// Reads these folders only.
    pub(crate) fn reads(folders: &[&str]) -> Self {
        let reads = Some(folders.iter().map(|folder| (*folder).to_owned()).collect());
        Self { is_member: true, reads, ..Self::default() }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct ClientSecret {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) description: String,
    pub(crate) uses: u64,
    pub(crate) is_revoked: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) rights: Rights,
    pub(crate) client_secrets: Vec<ClientSecret>,
    pub(crate) wrong_logins: usize,
    pub(crate) has_universal_auth: bool,
    pub(crate) is_deleted: bool,
}

/// Whose an access token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    User,
    Identity(String),
}

#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) owner: Owner,
    /// The client secret that it came from.
    pub(crate) client_secret: Option<String>,
    pub(crate) is_revoked: bool,
    pub(crate) is_expired: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct ServiceToken {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) name: String,
    /// Environment and folder, or pattern of folders.
    pub(crate) scopes: Vec<(String, String)>,
    pub(crate) permissions: Vec<String>,
    pub(crate) is_expired: bool,
}

impl ServiceToken {
    pub(crate) fn value(&self) -> String {
        format!("st.{}.{}", self.id, self.secret)
    }
}

/// Secrets of one folder that another shows too.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    pub(crate) into: (String, String),
    pub(crate) from: (String, String),
}

/// A change that waits for an approval.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) environment: String,
    pub(crate) folder: String,
    pub(crate) name: String,
    /// None for one that removes it.
    pub(crate) value: Option<String>,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) project_id: String,
    pub(crate) project_slug: String,
    pub(crate) project_name: String,
    /// Slug and name.
    pub(crate) environments: Vec<(String, String)>,
    /// By environment's slug.
    pub(crate) folders: BTreeMap<String, BTreeSet<String>>,
    pub(crate) secrets: Vec<StoredSecret>,
    pub(crate) imports: Vec<Import>,
    pub(crate) identities: Vec<Identity>,
    pub(crate) tokens: Vec<AccessToken>,
    pub(crate) service_tokens: Vec<ServiceToken>,
    /// What waits for an approval, oldest first.
    pub(crate) held: Vec<Held>,
    /// Seconds since 1970; every change is one later.
    pub(crate) clock: i64,
    rng: Rng,
}

impl Default for World {
    fn default() -> Self {
        let environments =
            [("development", "Development"), ("staging", "Staging"), ("production", "Production")];
        let mut world = Self {
            settings: Settings { token_ttl: 7200, ..Settings::default() },
            project_id: String::new(),
            project_slug: "kosmos".into(),
            project_name: "KOSMOS Platform".into(),
            environments: environments.map(|(slug, name)| (slug.to_owned(), name.to_owned())).to_vec(),
            folders: BTreeMap::new(),
            secrets: Vec::new(),
            imports: Vec::new(),
            identities: Vec::new(),
            tokens: Vec::new(),
            service_tokens: Vec::new(),
            held: Vec::new(),
            clock: 1_795_000_000,
            rng: Rng::with_seed(7),
        };
        world.project_id = world.uuid();
        world
    }
}

impl World {
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let digits = "0123456789abcdef".as_bytes();
        (0..length).map(|_| char::from(digits[self.rng.usize(..16)])).collect()
    }

    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    pub(crate) fn request_id(&mut self) -> String {
        format!("req-{}", self.hex(14))
    }

    pub(crate) fn tick(&mut self) -> i64 {
        self.clock += 1;
        self.clock
    }

    /// Whether the environment has the folder.
    pub(crate) fn has_folder(&self, environment: &str, folder: &str) -> bool {
        let is_environment = self.environments.iter().any(|(slug, _)| slug == environment);
        let has = |folders: &BTreeSet<String>| folders.contains(folder);
        is_environment && (folder == "/" || self.folders.get(environment).is_some_and(has))
    }

    /// Makes a folder and those above it.
    pub(crate) fn make_folder(&mut self, environment: &str, folder: &str) {
        let folders = self.folders.entry(environment.to_owned()).or_default();
        let mut path = String::new();
        for name in folder.split('/').filter(|name| !name.is_empty()) {
            path = format!("{path}/{name}");
            folders.insert(path.clone());
        }
    }

    pub(crate) fn find(&self, environment: &str, folder: &str, name: &str) -> Option<usize> {
        self.secrets.iter().position(|secret| {
            (secret.environment.as_str(), secret.folder.as_str(), secret.name.as_str())
                == (environment, folder, name)
                && !secret.is_personal
        })
    }

    /// Stores a value as the server does: trimmed, and always as a new version. Gives its number.
    pub(crate) fn put(&mut self, environment: &str, folder: &str, name: &str, value: &str) -> u64 {
        self.make_folder(environment, folder);
        self.put_with(environment, folder, (name, value), "")
    }

    pub(crate) fn put_with(
        &mut self,
        environment: &str,
        folder: &str,
        (name, value): (&str, &str),
        comment: &str,
    ) -> u64 {
        let at = self.find(environment, folder, name).unwrap_or_else(|| {
            let secret = StoredSecret {
                id: self.uuid(),
                environment: environment.to_owned(),
                folder: folder.to_owned(),
                name: name.to_owned(),
                is_personal: false,
                versions: Vec::new(),
            };
            self.secrets.push(secret);
            self.secrets.len() - 1
        });
        let number = self.secrets[at].versions.last().map_or(1, |version| version.number + 1);
        let (id, time) = (self.uuid(), self.tick());
        let (value, comment) = (trimmed(value), comment.to_owned());
        let versions = &mut self.secrets[at].versions;
        versions.push(Version { id, number, value, comment, time, is_redacted: false });
        let kept = self.settings.kept_versions;
        if kept > 0 && versions.len() > kept {
            versions.remove(0);
        }
        number
    }

    /// A value that one user has instead of everybody's.
    pub(crate) fn override_for_one(&mut self, environment: &str, folder: &str, name: &str, value: &str) {
        let (id, version_id, time) = (self.uuid(), self.uuid(), self.tick());
        self.secrets.push(StoredSecret {
            id,
            environment: environment.to_owned(),
            folder: folder.to_owned(),
            name: name.to_owned(),
            is_personal: true,
            versions: vec![Version {
                id: version_id,
                number: 1,
                value: trimmed(value),
                comment: String::new(),
                time,
                is_redacted: false,
            }],
        });
    }

    /// Whether changes in a folder wait for an approval.
    pub(crate) fn needs_approval(&self, folder: &str) -> bool {
        self.settings.needs_approval || self.settings.approval_folders.iter().any(|own| own == folder)
    }

    /// Somebody approves all that waits. Says how much that was.
    pub(crate) fn approve(&mut self) -> usize {
        let held = std::mem::take(&mut self.held);
        for Held { environment, folder, name, value } in &held {
            match (value, self.find(environment, folder, name)) {
                (Some(value), _) => drop(self.put(environment, folder, name, value)),
                (None, Some(at)) => drop(self.secrets.remove(at)),
                (None, None) => {}
            }
        }
        held.len()
    }

    /// The current value of a secret.
    pub(crate) fn value(&self, environment: &str, folder: &str, name: &str) -> Option<String> {
        self.find(environment, folder, name).map(|at| self.secrets[at].current().value.clone())
    }

    /// A machine identity with a client secret. Gives its client id and the secret.
    pub(crate) fn identity(&mut self, name: &str, rights: Rights) -> (String, String) {
        let identity = Identity {
            id: self.uuid(),
            name: name.to_owned(),
            client_id: self.uuid(),
            rights,
            client_secrets: Vec::new(),
            wrong_logins: 0,
            has_universal_auth: true,
            is_deleted: false,
        };
        let client_id = identity.client_id.clone();
        self.identities.push(identity);
        let at = self.identities.len() - 1;
        let secret = self.client_secret(at, "made by the test");
        (client_id, secret.value)
    }

    /// A client secret more for an identity.
    pub(crate) fn client_secret(&mut self, identity: usize, description: &str) -> ClientSecret {
        let secret = ClientSecret {
            id: self.uuid(),
            value: self.hex(64),
            description: description.to_owned(),
            uses: 0,
            is_revoked: false,
        };
        self.identities[identity].client_secrets.push(secret.clone());
        secret
    }

    /// An access token, in a JWT's shape.
    pub(crate) fn access_token(&mut self, owner: Owner, client_secret: Option<String>) -> AccessToken {
        let kind = if owner == Owner::User { "accessToken" } else { "identityAccessToken" };
        let id = self.uuid();
        let head = secrets::in_base64(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = secrets::in_base64(&format!(r#"{{"authTokenType":"{kind}","jti":"{id}"}}"#));
        let value = format!("{head}.{claims}.{}", self.hex(43)).replace('=', "");
        let token = AccessToken { id, value, owner, client_secret, is_revoked: false, is_expired: false };
        self.tokens.push(token.clone());
        token
    }

    /// A user's token, which may do everything.
    pub(crate) fn user_token(&mut self) -> String {
        self.access_token(Owner::User, None).value
    }

    /// A service token for these environments and folders.
    pub(crate) fn service_token(&mut self, scopes: &[(&str, &str)], permissions: &[&str]) -> String {
        let token = ServiceToken {
            id: self.uuid(),
            secret: self.hex(32),
            name: "made by the test".into(),
            scopes: scopes.iter().map(|(slug, path)| ((*slug).to_owned(), (*path).to_owned())).collect(),
            permissions: permissions.iter().map(|word| (*word).to_owned()).collect(),
            is_expired: false,
        };
        let value = token.value();
        self.service_tokens.push(token);
        value
    }
}

/// White space goes at both ends; one line feed stays at the end if it is there.
fn trimmed(value: &str) -> String {
    let end = if value.ends_with('\n') { "\n" } else { "" };
    format!("{}{end}", value.trim())
}
