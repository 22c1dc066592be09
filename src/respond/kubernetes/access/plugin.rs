//! Credential plugins: programs that a kubeconfig names, by the protocol `client.authentication.k8s.io`.

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::{AccessError, token};
use crate::{model::Secret, net::ClientIdentity};

/// How long a plugin may take: it may ask a server of its own.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const LONGEST: u64 = 1 << 20;
/// A ticket that ends sooner than this is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// A variable for a plugin's environment.
#[derive(Deserialize)]
pub(super) struct Variable {
    name: String,
    value: Zeroizing<String>,
}

/// A program and what it is given.
pub(super) struct Plugin {
    pub(super) command: String,
    /// The kubeconfig's, which a command with a path starts from.
    pub(super) folder: PathBuf,
    pub(super) arguments: Vec<Zeroizing<String>>,
    pub(super) environment: Vec<Variable>,
    pub(super) version: String,
    /// Address and CA, where it wants to know the cluster.
    pub(super) cluster: Option<(String, Vec<u8>)>,
}

/// What a plugin gave.
pub(super) struct Ticket {
    pub(super) token: Option<Secret>,
    pub(super) identity: Option<ClientIdentity>,
    expires: Option<Timestamp>,
}

impl Ticket {
    pub(super) fn is_fresh(&self) -> bool {
        let now = Timestamp::now();
        self.expires.is_none_or(|expires| now.checked_add(MARGIN).is_ok_and(|soon| soon < expires))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    api_version: String,
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    token: Option<Zeroizing<String>>,
    client_certificate_data: Option<String>,
    client_key_data: Option<Zeroizing<String>>,
    expiration_timestamp: Option<String>,
}

impl Plugin {
    /// Runs it, without a shell and without our own secrets in its environment.
    pub(super) fn run(&self) -> Result<Ticket, AccessError> {
        let output = self.output(PATIENCE).map_err(|why| self.fault(why))?;
        self.ticket(output.expose()).map_err(|why| self.fault(why))
    }

    fn fault(&self, why: impl Into<String>) -> AccessError {
        AccessError::Plugin { command: self.command.escape_default().to_string(), why: why.into() }
    }

    pub(super) fn program(&self) -> PathBuf {
        let path = Path::new(&self.command);
        if path.components().count() > 1 { self.folder.join(path) } else { path.to_owned() }
    }

    fn told(&self) -> String {
        let mut spec = json!({"interactive": false});
        if let Some((server, roots)) = &self.cluster {
            spec["cluster"] = json!({"server": server, "certificate-authority-data": STANDARD.encode(roots)});
        }
        json!({"apiVersion": self.version, "kind": "ExecCredential", "spec": spec}).to_string()
    }

    pub(super) fn output(&self, patience: Duration) -> Result<Secret, String> {
        let mut command = Command::new(self.program());
        command.args(self.arguments.iter().map(|argument| argument.as_str()));
        // What it has to know of us is the user's, not hekate's.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HEKATE_"))
        {
            command.env_remove(name);
        }
        command.env("KUBERNETES_EXEC_INFO", self.told());
        command.envs(self.environment.iter().map(|variable| (&variable.name, variable.value.as_str())));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("it can't be run: {}", error.kind()))?;
        let outcome = listen(&mut child, patience);
        if outcome.is_err() {
            // It may have ended by itself; then there is nothing to kill.
            drop(child.kill());
            drop(child.wait());
        }
        outcome
    }

    fn ticket(&self, output: &[u8]) -> Result<Ticket, String> {
        // What the parser says may quote the answer.
        let credential: Credential =
            serde_json::from_slice(output).map_err(|_| "its answer is no ExecCredential".to_owned())?;
        if credential.api_version != self.version {
            return Err(format!("it answers in another version than {}", self.version));
        }
        let Some(status) = credential.status else { return Err("it answers without a `status`".to_owned()) };
        let token = status.token.filter(|text| !text.is_empty());
        let token = token.map(|text| token_of(&text)).transpose()?;
        let identity = match (status.client_certificate_data, status.client_key_data) {
            (Some(chain), Some(key)) => {
                Some(ClientIdentity { chain: chain.into_bytes(), key: Secret::new(key.as_bytes()) })
            }
            (None, None) => None,
            _ => return Err("a client certificate needs its key, and the key its certificate".to_owned()),
        };
        if token.is_none() && identity.is_none() {
            return Err("it gives neither a token nor a certificate".to_owned());
        }
        let expires = status.expiration_timestamp.map(|text| text.parse::<Timestamp>());
        let expires = expires.transpose().map_err(|_| "its `expirationTimestamp` is no time".to_owned())?;
        Ok(Ticket { token, identity, expires })
    }
}

fn token_of(text: &str) -> Result<Secret, String> {
    token(text.as_bytes())
}

/// All that a child says, once it has ended well.
fn listen(child: &mut Child, patience: Duration) -> Result<Secret, String> {
    let until = Instant::now() + patience;
    let late = || format!("it did not end within {:.0} s", patience.as_secs_f64());
    let pipe = child.stdout.take().ok_or("its output can't be read")?;
    let (sender, receiver) = mpsc::channel();
    // Whoever it started may hold the pipe open for ever: nobody waits for that.
    let read = move || {
        let mut output = Zeroizing::new(Vec::new());
        let result = pipe.take(LONGEST + 1).read_to_end(&mut output);
        drop(sender.send(result.map(|_| Secret::new(output.to_vec()))));
    };
    thread::Builder::new().name("plugin".into()).spawn(read).map_err(|error| error.kind().to_string())?;
    let output = receiver.recv_timeout(patience).map_err(|_| late())?;
    let output = output.map_err(|error| format!("its output can't be read: {}", error.kind()))?;
    if u64::try_from(output.len()).is_ok_and(|length| length > LONGEST) {
        return Err(format!("it says more than {LONGEST} bytes"));
    }
    loop {
        match child.try_wait().map_err(|error| error.kind().to_string())? {
            Some(status) if status.success() => return Ok(output),
            Some(status) => {
                return Err(format!("it failed ({status}): run it by hand to see why"));
            }
            None if Instant::now() >= until => return Err(late()),
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
}
