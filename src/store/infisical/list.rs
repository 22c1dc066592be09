//! All secrets of an environment, and one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Ask, Infisical,
    fault::{Fault, Kind},
    project::{Place, Scope, is_under},
    query,
    wire::{Folders, One, Secrets, WireSecret, normal},
};
use crate::store::{Denied, Listing, SecretPath, StoreError, Stored};

/// How many folders are asked for one by one, because nothing of them was listed.
const MOST_FOLDERS: usize = 500;
/// How many pages of a listing are read, where the server pages.
const MOST_PAGES: usize = 1_000;

/// What is listed so far.
struct Gathered<'a, 'p> {
    place: &'a Place<'p>,
    secrets: BTreeMap<SecretPath, Stored>,
    denied: BTreeSet<Denied>,
    /// Folders of which something was listed.
    seen: BTreeSet<String>,
}

impl<'a, 'p> Gathered<'a, 'p> {
    fn new(place: &'a Place<'p>) -> Self {
        Self { place, secrets: BTreeMap::new(), denied: BTreeSet::new(), seen: BTreeSet::new() }
    }

    fn deny(&mut self, path: String, why: impl Into<String>) {
        self.denied.insert(Denied { path, why: why.into() });
    }

    /// Takes one secret that was listed for a folder.
    fn take(&mut self, secret: &WireSecret, folder: String) {
        self.seen.insert(folder.clone());
        if secret.is_personal() {
            return;
        }
        let path = SecretPath {
            environment: self.place.environment.to_owned(),
            folder,
            name: secret.secret_key.clone(),
        };
        match secret.current(path.clone()) {
            Some(stored) => {
                self.secrets.insert(path, stored);
            }
            None => self.deny(path.to_string(), "the login may know of it and not see its value"),
        }
    }

    fn done(self) -> Listing {
        Listing { secrets: self.secrets.into_values().collect(), denied: self.denied.into_iter().collect() }
    }
}

impl Infisical {
    /// All that the login can read of an environment, and what it can't.
    pub(super) fn list_at(&self, place: &Place<'_>) -> Result<Listing, StoreError> {
        let mut gathered = Gathered::new(place);
        match place.scopes() {
            Some(scopes) => self.gather_scopes(&scopes, &mut gathered)?,
            None => self.gather_all(&mut gathered)?,
        }
        Ok(gathered.done())
    }

    /// The whole tree at once. The server leaves out what the login may not read and does not say so; the list of folders does.
    fn gather_all(&self, gathered: &mut Gathered<'_, '_>) -> Result<(), StoreError> {
        let whole = self.gather("/", true, gathered);
        let folders = match (self.folders(gathered.place), whole) {
            (Ok(folders), Ok(()) | Err(Fault { kind: Kind::NotAllowed, .. })) => folders,
            (Err(Fault { kind: Kind::NotAllowed | Kind::NoRoute, .. }), Ok(())) => {
                let why = "its folders can't be listed, so that one which can't be read goes unnoticed";
                gathered.deny(gathered.place.label("/"), why);
                return Ok(());
            }
            (Err(fault), Ok(())) | (_, Err(fault)) => return Err(fault.error),
        };
        let unseen: Vec<String> = folders.difference(&gathered.seen).cloned().collect();
        for folder in unseen.iter().take(MOST_FOLDERS) {
            self.gather_folder(folder, gathered)?;
        }
        if unseen.len() > MOST_FOLDERS {
            let more = unseen.len() - MOST_FOLDERS;
            let why = format!(
                "{more} more folders of which nothing is listed were not asked for; they are empty, or can't be read"
            );
            gathered.deny(gathered.place.label("/"), why);
        }
        Ok(())
    }

    /// Only what the token reaches is asked for: a token with one scope answers from that, whatever is asked.
    fn gather_scopes(&self, scopes: &[&Scope], gathered: &mut Gathered<'_, '_>) -> Result<(), StoreError> {
        for scope in scopes {
            let (base, is_pattern) = scope.base();
            match self.gather(&base, is_pattern, gathered) {
                Err(Fault { kind: Kind::NotAllowed, .. }) => {
                    gathered.deny(gathered.place.label(&base), "the service token may not read it");
                }
                Err(Fault { kind: Kind::NoFolder, .. }) => {
                    gathered.deny(
                        gathered.place.label(&base),
                        "the service token is for a folder that is not there",
                    );
                }
                other => other?,
            }
        }
        if !scopes.iter().any(|scope| scope.is_whole()) {
            let paths: Vec<&str> = scopes.iter().map(|scope| scope.path.as_str()).collect();
            let why = format!("the service token reaches {} only", paths.join(", "));
            gathered.deny(gathered.place.label("/"), why);
        }
        Ok(())
    }

    /// One folder of which nothing is listed: it is empty, or we may not read it.
    fn gather_folder(&self, folder: &str, gathered: &mut Gathered<'_, '_>) -> Result<(), StoreError> {
        match self.gather(folder, false, gathered) {
            Err(Fault { kind: Kind::NotAllowed, .. }) => {
                gathered.deny(gathered.place.label(folder), "the login may not read it");
                Ok(())
            }
            // Somebody removed it just now.
            Err(Fault { kind: Kind::NoFolder, .. }) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Takes what is listed for a folder, with those in it or without.
    fn gather(&self, base: &str, is_deep: bool, gathered: &mut Gathered<'_, '_>) -> Result<(), Fault> {
        let mut count = 0;
        for _ in 0..MOST_PAGES {
            let page = self.page(gathered.place, base, is_deep, count)?;
            let is_last = page.secrets.is_empty()
                || page.total_count.is_none_or(|total| count as u64 + page.secrets.len() as u64 >= total);
            count += page.secrets.len();
            for secret in &page.secrets {
                let folder = self.folder_of(gathered.place, secret, base, is_deep)?;
                gathered.take(secret, folder);
            }
            if is_last {
                return Ok(());
            }
        }
        Err(self.malformed(format!("it gives more than {MOST_PAGES} pages of secrets")).into())
    }

    fn page(&self, place: &Place<'_>, base: &str, is_deep: bool, offset: usize) -> Result<Secrets, Fault> {
        let what = format!("listing {}", place.label(base));
        let offset = offset.to_string();
        let mut more = vec![("recursive", if is_deep { "true" } else { "false" })];
        if offset != "0" {
            more.push(("offset", &offset));
        }
        self.ask_secrets(|api| Ask::get(api.path(None) + &api.query(place, base, &more), &what))
    }

    /// Where a secret says that it lies, which has to be where we asked.
    fn folder_of(
        &self,
        place: &Place<'_>,
        secret: &WireSecret,
        base: &str,
        is_deep: bool,
    ) -> Result<String, StoreError> {
        let folder = match &secret.secret_path {
            Some(folder) => normal(folder),
            None if !is_deep => base.to_owned(),
            None => return Err(self.malformed("it lists a secret without its folder".into())),
        };
        let is_there = if is_deep { is_under(&folder, base) } else { folder == base };
        if is_there && secret.environment.as_deref().is_none_or(|slug| slug == place.slug) {
            return Ok(folder);
        }
        let slug = secret.environment.as_deref().unwrap_or(place.slug);
        Err(self.elsewhere(&place.label(base), &format!("{slug}:{folder}")))
    }

    /// The answer is not from where we asked.
    pub(super) fn elsewhere(&self, asked: &str, answered: &str) -> StoreError {
        let what = format!(
            "{asked}: it answers from {} instead, as it does to a service token with one scope",
            answered.escape_default()
        );
        self.forbidden(what)
    }

    /// The paths of all folders, that of the environment itself with them.
    pub(super) fn folders(&self, place: &Place<'_>) -> Result<BTreeSet<String>, Fault> {
        let pairs = [
            ("projectId", place.project.id.as_str()),
            ("environment", place.slug),
            ("path", "/"),
            ("recursive", "true"),
        ];
        let what = format!("listing the folders of {}", place.label("/"));
        let folders: Folders = self.ask(&Ask::get(format!("/api/v2/folders{}", query(&pairs)), &what))?;
        let mut paths = folders.paths();
        paths.insert("/".to_owned());
        Ok(paths)
    }

    /// One secret, in its current version or in another; `None` where there is none.
    pub(super) fn read_at(
        &self,
        place: &Place<'_>,
        path: &SecretPath,
        version: Option<u64>,
    ) -> Result<Option<Stored>, StoreError> {
        let Some(secret) = self.wire(place, path, version)? else { return Ok(None) };
        let stored = match version {
            Some(_) if secret.is_redacted() => return Ok(None),
            Some(_) => secret.older(path.clone()),
            None => secret.current(path.clone()),
        };
        stored.map(Some).ok_or_else(|| self.forbidden(format!("seeing the value of {path}")))
    }

    /// One secret as the server gives it.
    pub(super) fn wire(
        &self,
        place: &Place<'_>,
        path: &SecretPath,
        version: Option<u64>,
    ) -> Result<Option<WireSecret>, StoreError> {
        self.check(place, path)?;
        let what = format!("reading {path}");
        let number = version.map(|version| version.to_string());
        let mut more = vec![("type", "shared")];
        more.extend(number.as_deref().map(|number| ("version", number)));
        let ask = |api: super::Api| {
            Ask::get(api.path(Some(&path.name)) + &api.query(place, &path.folder, &more), &what)
        };
        let secret = match self.ask_secrets(ask) {
            Err(Fault { kind: Kind::NoSecret | Kind::NoFolder, .. }) => return Ok(None),
            answered => answered.map(|one: One| one.secret)?,
        };
        let folder = self.folder_of(place, &secret, &path.folder, false)?;
        if secret.secret_key != path.name {
            return Err(
                self.elsewhere(&path.to_string(), &format!("{}:{folder}/{}", place.slug, secret.secret_key))
            );
        }
        match version {
            // A server that does not know the parameter would pass the current value off as an old one.
            Some(version) if secret.version != version => Err(self.malformed(format!(
                "asked for version {version} of {path}, it gives version {}",
                secret.version
            ))),
            _ => Ok(Some(secret)),
        }
    }

    /// Refuses what no request can name, and what the service token does not reach.
    pub(super) fn check(&self, place: &Place<'_>, path: &SecretPath) -> Result<(), StoreError> {
        let is_dots = matches!(path.name.as_str(), "" | "." | "..");
        if is_dots
            || path.name.trim() != path.name
            || path.name.contains([':', '/'])
            || path.name.contains(char::is_control)
        {
            let name = path.name.escape_default();
            return Err(self.malformed(format!(
                "`{name}` is no name of a secret: no colon, slash or white space around it"
            )));
        }
        if path.folder != normal(&path.folder)
            || path.folder.split('/').any(|name| matches!(name, "." | ".."))
        {
            let folder = path.folder.escape_default();
            return Err(self.malformed(format!("`{folder}` is no folder: /, or /a/b")));
        }
        match place.scopes() {
            Some(scopes) if !scopes.iter().any(|scope| scope.may_hold(&path.folder)) => {
                let paths: Vec<&str> = scopes.iter().map(|scope| scope.path.as_str()).collect();
                Err(self.forbidden(format!("{path}: the service token reaches {} only", paths.join(", "))))
            }
            _ => Ok(()),
        }
    }
}
