//! kubeconfig files: clusters, users, and the contexts that join them.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Mutex,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, de::IgnoredAny};
use serde_saphyr::{DuplicateKeyPolicy, Options, alias_limits, budget, options};
use url::Url;
use zeroize::Zeroizing;

use super::{
    Access, AccessError, Bearer, file_error,
    plugin::{Plugin, Variable},
    read, token,
};
use crate::{
    model::Secret,
    net::{ClientIdentity, Origin},
};

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct File {
    current_context: Option<String>,
    contexts: Option<Vec<NamedContext>>,
    clusters: Option<Vec<NamedCluster>>,
    users: Option<Vec<NamedUser>>,
}

#[derive(Deserialize)]
struct NamedContext {
    name: String,
    context: Option<Context>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Context {
    cluster: Option<String>,
    user: Option<String>,
}

#[derive(Deserialize)]
struct NamedCluster {
    name: String,
    cluster: Option<ClusterEntry>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct ClusterEntry {
    server: Option<String>,
    certificate_authority: Option<PathBuf>,
    certificate_authority_data: Option<String>,
    insecure_skip_tls_verify: Option<bool>,
    tls_server_name: Option<String>,
    proxy_url: Option<String>,
}

#[derive(Deserialize)]
struct NamedUser {
    name: String,
    user: Option<User>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct User {
    token: Option<Zeroizing<String>>,
    #[serde(rename = "tokenFile")]
    token_file: Option<PathBuf>,
    client_certificate: Option<PathBuf>,
    client_certificate_data: Option<String>,
    client_key: Option<PathBuf>,
    client_key_data: Option<Zeroizing<String>>,
    exec: Option<Exec>,
    username: Option<IgnoredAny>,
    password: Option<IgnoredAny>,
    auth_provider: Option<IgnoredAny>,
    #[serde(rename = "as")]
    impersonated: Option<IgnoredAny>,
    as_uid: Option<IgnoredAny>,
    as_groups: Option<IgnoredAny>,
    as_user_extra: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exec {
    api_version: String,
    command: String,
    args: Option<Vec<Zeroizing<String>>>,
    env: Option<Vec<Variable>>,
    #[serde(default)]
    provide_cluster_info: bool,
    interactive_mode: Option<String>,
}

/// Bounds far beyond any kubeconfig.
fn bounded() -> Options {
    options! {
        budget: budget! {
            max_events: 400_000,
            max_nodes: 200_000,
            max_depth: 32,
            flow_nesting_limit: 32,
            max_aliases: 100,
            max_anchors: 100,
            max_documents: 1,
        },
        alias_limits: alias_limits! {
            max_total_replayed_events: 10_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: DuplicateKeyPolicy::Error,
        emit_comments: false,
        with_snippet: false,
    }
}

/// An entry with the file that it stands in.
struct Found<T> {
    file: PathBuf,
    entry: T,
}

impl<T> Found<T> {
    fn fault(&self, why: impl Into<String>) -> AccessError {
        fault(&self.file, why)
    }

    /// A path of it: kubectl takes it from the file's folder.
    fn beside(&self, path: &Path) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(path)
    }
}

fn fault(file: &Path, why: impl Into<String>) -> AccessError {
    AccessError::Kubeconfig { file: file.to_owned(), why: why.into() }
}

/// Reads files as one: of each name the first entry counts. A file that is not there is passed over, as long as there is one.
pub(super) fn load(files: &[PathBuf], context: Option<&str>) -> Result<Access, AccessError> {
    let mut parsed = Vec::new();
    let mut missing = None;
    for path in files.iter().filter(|path| !path.as_os_str().is_empty()) {
        match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                missing.get_or_insert_with(|| file_error(path, error.kind().to_string()));
            }
            _ => parsed.push((path.clone(), parse(path)?)),
        }
    }
    let Some((first, _)) = parsed.first() else { return Err(missing.unwrap_or(AccessError::Nothing)) };
    let first = first.clone();
    let current =
        || parsed.iter().find_map(|(_, file)| file.current_context.clone().filter(|name| !name.is_empty()));
    let name = context.map(str::to_owned).or_else(current);
    let name = name.ok_or_else(|| fault(&first, "it has no current context: name one"))?;
    let context = pick(&mut parsed, |file| {
        let contexts = file.contexts.as_mut()?;
        let at = contexts.iter().position(|context| context.name == name)?;
        Some(contexts.swap_remove(at).context.unwrap_or_default())
    });
    let shown = crate::respond::kubernetes::fault::shown(&name);
    let context = context.ok_or_else(|| fault(&first, format!("it has no context `{shown}`")))?;
    let cluster = cluster_of(&mut parsed, &context)?;
    let user = user_of(&mut parsed, &context)?;
    access(shown, &cluster, user)
}

fn parse(path: &Path) -> Result<File, AccessError> {
    let content = read(path)?;
    let text = std::str::from_utf8(content.expose()).map_err(|_| fault(path, "it is no text"))?;
    if text.trim().is_empty() {
        return Ok(File::default());
    }
    // What the parser says of it may hold a value; where it is does not.
    serde_saphyr::from_str_with_options(text, bounded()).map_err(|error| {
        let line = error.location().map(|location| format!(", line {}", location.line())).unwrap_or_default();
        fault(path, format!("it can't be read as one{line}"))
    })
}

fn pick<T>(files: &mut [(PathBuf, File)], mut take: impl FnMut(&mut File) -> Option<T>) -> Option<Found<T>> {
    files.iter_mut().find_map(|(path, file)| take(file).map(|entry| Found { file: path.clone(), entry }))
}

fn cluster_of(
    files: &mut [(PathBuf, File)],
    context: &Found<Context>,
) -> Result<Found<ClusterEntry>, AccessError> {
    let name = context.entry.cluster.clone().unwrap_or_default();
    let found = pick(files, |file| {
        let clusters = file.clusters.as_mut()?;
        let at = clusters.iter().position(|cluster| cluster.name == name)?;
        Some(clusters.swap_remove(at).cluster.unwrap_or_default())
    });
    found.ok_or_else(|| context.fault("the cluster of the context is not in it"))
}

fn user_of(files: &mut [(PathBuf, File)], context: &Found<Context>) -> Result<Found<User>, AccessError> {
    let name = context.entry.user.clone().unwrap_or_default();
    if name.is_empty() {
        return Ok(Found { file: context.file.clone(), entry: User::default() });
    }
    let found = pick(files, |file| {
        let users = file.users.as_mut()?;
        let at = users.iter().position(|user| user.name == name)?;
        Some(users.swap_remove(at).user.unwrap_or_default())
    });
    found.ok_or_else(|| context.fault("the user of the context is not in it"))
}

fn access(name: String, cluster: &Found<ClusterEntry>, user: Found<User>) -> Result<Access, AccessError> {
    refuse_what_is_not_done(cluster, &user)?;
    let (origin, base) = server(cluster)?;
    let roots = match (&cluster.entry.certificate_authority_data, &cluster.entry.certificate_authority) {
        (Some(data), _) if !data.is_empty() => {
            decoded(data).ok_or_else(|| cluster.fault("`certificate-authority-data` is no base64"))?
        }
        (_, Some(path)) if !path.as_os_str().is_empty() => read(&cluster.beside(path))?,
        _ => Secret::new(""),
    };
    let identity = identity(&user)?;
    let server = format!("{origin}{base}");
    Ok(Access {
        name: format!("the context {name}"),
        origin,
        base,
        server_name: cluster.entry.tls_server_name.clone().filter(|name| !name.is_empty()),
        identity,
        bearer: bearer(user, &server, &roots)?,
        roots: roots.expose().to_vec(),
    })
}

/// What would change who asks, or whom, if it were passed over.
fn refuse_what_is_not_done(cluster: &Found<ClusterEntry>, user: &Found<User>) -> Result<(), AccessError> {
    let (c, u) = (&cluster.entry, &user.entry);
    if c.insecure_skip_tls_verify == Some(true) {
        return Err(cluster.fault(
            "`insecure-skip-tls-verify` would let anybody answer for the cluster and take the credentials: give its CA as `certificate-authority`",
        ));
    }
    if c.proxy_url.as_ref().is_some_and(|url| !url.is_empty()) {
        return Err(cluster.fault("`proxy-url` is not supported: run where the cluster can be reached"));
    }
    let is_impersonating =
        u.impersonated.is_some() || u.as_uid.is_some() || u.as_groups.is_some() || u.as_user_extra.is_some();
    let refused = [
        (
            u.username.is_some() || u.password.is_some(),
            "`username` and `password` are not accepted by any Kubernetes since 1.19: use a token",
        ),
        (u.auth_provider.is_some(), "`auth-provider` is gone from Kubernetes since 1.26: use `exec`"),
        (
            is_impersonating,
            "acting as somebody else (`as`) is not supported: give the account its own rights",
        ),
    ];
    match refused.into_iter().find(|(is_so, _)| *is_so) {
        Some((_, why)) => Err(user.fault(why)),
        None => Ok(()),
    }
}

fn server(cluster: &Found<ClusterEntry>) -> Result<(Origin, String), AccessError> {
    let text = cluster.entry.server.clone().unwrap_or_default();
    let wrong = || cluster.fault("`server` is no address: write https://HOST:PORT");
    let url = Url::parse(&text).map_err(|_| wrong())?;
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !is_plain {
        return Err(wrong());
    }
    let origin: Origin = url.origin().ascii_serialization().parse().map_err(|_| wrong())?;
    let is_here = origin.host() == "localhost"
        || origin.host().parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if !origin.is_tls() && !is_here {
        return Err(
            cluster.fault("`server` is not https: credentials and secrets would cross the network in clear")
        );
    }
    Ok((origin, url.path().trim_end_matches('/').to_owned()))
}

fn identity(user: &Found<User>) -> Result<Option<ClientIdentity>, AccessError> {
    let entry = &user.entry;
    let chain =
        material(user, entry.client_certificate_data.as_deref(), entry.client_certificate.as_deref())?;
    let key =
        material(user, entry.client_key_data.as_ref().map(|key| key.as_str()), entry.client_key.as_deref())?;
    match (chain, key) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) => Ok(Some(ClientIdentity { chain: chain.expose().to_vec(), key })),
        _ => Err(user.fault("a client certificate needs its key, and the key its certificate")),
    }
}

/// What stands in the file itself comes before what stands beside it, as with kubectl.
fn material(
    user: &Found<User>,
    data: Option<&str>,
    path: Option<&Path>,
) -> Result<Option<Secret>, AccessError> {
    match (data.filter(|data| !data.is_empty()), path.filter(|path| !path.as_os_str().is_empty())) {
        (Some(data), _) => match decoded(data) {
            Some(pem) => Ok(Some(pem)),
            None => Err(user.fault("`client-certificate-data` or `client-key-data` is no base64")),
        },
        (None, Some(path)) => read(&user.beside(path)).map(Some),
        (None, None) => Ok(None),
    }
}

fn decoded(data: &str) -> Option<Secret> {
    STANDARD.decode(data.trim()).ok().map(Secret::new)
}

/// `tokenFile` comes before `token`, and `exec` after both, as with kubectl.
fn bearer(user: Found<User>, server: &str, roots: &Secret) -> Result<Bearer, AccessError> {
    if let Some(path) = user.entry.token_file.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        return Ok(Bearer::File(user.beside(path)));
    }
    if let Some(text) = user.entry.token.as_ref().filter(|text| !text.is_empty()) {
        let token = token(text.as_bytes()).map_err(|_| user.fault("`token` is no token"))?;
        return Ok(Bearer::Fixed(token));
    }
    let folder = user.file.parent().unwrap_or(Path::new("")).to_owned();
    let Some(exec) = user.entry.exec else { return Ok(Bearer::Nothing) };
    if exec.interactive_mode.as_deref() == Some("Always") {
        return Err(fault(
            &user.file,
            "its credential plugin wants to ask somebody (`interactiveMode: Always`): use one that does not",
        ));
    }
    let known = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
    if !known.contains(&exec.api_version.as_str()) || exec.command.is_empty() {
        return Err(fault(
            &user.file,
            format!("`exec` needs a command, and an apiVersion that is one of {}", known.join(", ")),
        ));
    }
    let told = exec.provide_cluster_info.then(|| (server.to_owned(), roots.expose().to_vec()));
    let plugin = Plugin {
        command: exec.command,
        folder,
        arguments: exec.args.unwrap_or_default(),
        environment: exec.env.unwrap_or_default(),
        version: exec.api_version,
        cluster: told,
    };
    Ok(Bearer::Plugin { plugin: Box::new(plugin), ticket: Mutex::new(None) })
}
