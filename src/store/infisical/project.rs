//! Which project and which environment are meant, and what a service token reaches of them.

use std::collections::BTreeSet;

use super::{
    Ask, Infisical, Login,
    fault::{Fault, Kind},
    segment,
    wire::{OneProject, Projects, WireEnvironment, WireProject, WireScope, WireToken, normal},
};
use crate::store::StoreError;

/// How many names are listed of what there is.
const SHOWN: usize = 20;
const LOOKING: &str = "looking the project up";

/// The project, as the login sees it.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) id: String,
    environments: Vec<WireEnvironment>,
    /// Of a service token: all that it reaches.
    pub(super) scopes: Option<Vec<Scope>>,
}

/// An environment that was asked for.
pub(super) struct Place<'a> {
    pub(super) project: &'a Project,
    /// As it was asked for, by slug or name.
    pub(super) environment: &'a str,
    pub(super) slug: &'a str,
}

/// Folders of an environment that a service token reaches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Scope {
    pub(super) environment: String,
    /// A folder, or a pattern of folders: `/infrastructure`, `/a/**`.
    pub(super) path: String,
}

impl Scope {
    fn new(scope: WireScope) -> Self {
        Self { environment: scope.environment, path: normal(&scope.secret_path) }
    }

    /// The folder above everything that it reaches, and whether it is a pattern of folders.
    pub(super) fn base(&self) -> (String, bool) {
        let is_plain = |segment: &&str| !segment.contains(['*', '?', '[', '{', '(', '!']);
        let segments: Vec<&str> = self.path.split('/').skip(1).collect();
        let plain: Vec<&str> = segments.iter().copied().take_while(is_plain).collect();
        (format!("/{}", plain.join("/")), plain.len() < segments.len())
    }

    /// Whether a folder can be in it. A pattern is not matched here, but by the server.
    pub(super) fn may_hold(&self, folder: &str) -> bool {
        let (base, is_pattern) = self.base();
        if is_pattern { is_under(folder, &base) } else { folder == self.path }
    }

    /// Whether it reaches all folders.
    pub(super) fn is_whole(&self) -> bool {
        self.path == "/**"
    }
}

/// Whether a folder is this one or lies in it.
pub(super) fn is_under(folder: &str, base: &str) -> bool {
    let rest = folder.strip_prefix(base.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Project {
    fn new(wire: WireProject) -> Self {
        Self { id: wire.id, environments: wire.environments, scopes: None }
    }

    /// The environments' slugs, sorted.
    pub(super) fn slugs(&self) -> Vec<String> {
        let slugs: BTreeSet<&String> =
            self.environments.iter().map(|environment| &environment.slug).collect();
        slugs.into_iter().cloned().collect()
    }

    /// The slug of the environment with this slug or name.
    fn slug(&self, environment: &str) -> Option<&str> {
        let by = |part: fn(&WireEnvironment) -> &str| {
            self.environments.iter().find(|known| part(known).eq_ignore_ascii_case(environment))
        };
        by(|known| &known.slug).or_else(|| by(|known| &known.name)).map(|known| known.slug.as_str())
    }
}

impl Place<'_> {
    /// For messages: `production:/a`.
    pub(super) fn label(&self, folder: &str) -> String {
        format!("{}:{folder}", self.environment)
    }

    /// What a service token reaches in this environment; `None` of any other login.
    pub(super) fn scopes(&self) -> Option<Vec<&Scope>> {
        let scopes = self.project.scopes.as_ref()?;
        Some(scopes.iter().filter(|scope| scope.environment == self.slug).collect())
    }
}

impl Infisical {
    /// An environment of the project.
    pub(super) fn place<'a>(
        &self,
        project: &'a Project,
        environment: &'a str,
    ) -> Result<Place<'a>, StoreError> {
        let Some(slug) = project.slug(environment) else {
            let there = project.slugs().join(", ");
            let what = format!("no environment `{}`; there are {there}", environment.escape_default());
            return Err(self.not_found(what));
        };
        Ok(Place { project, environment, slug })
    }

    /// Asks for the project that the options name.
    pub(super) fn look_up_project(&self) -> Result<Project, StoreError> {
        match (&self.options.login, &self.options.project) {
            (Login::Service(_), named) => self.project_of_token(named.as_deref()),
            (_, Some(named)) => self.named_project(named).map(Project::new),
            (_, None) => Err(self.not_found("no project is named; set HEKATE_INFISICAL_PROJECT".into())),
        }
    }

    fn named_project(&self, named: &str) -> Result<WireProject, StoreError> {
        let found = if is_id(named) {
            self.project_by_id(named)
        } else if is_slug(named) {
            self.project_by_slug(named)
        } else {
            return self.project_in_list(named);
        };
        match found {
            Err(Fault { kind: Kind::NoProject | Kind::NoSecret | Kind::NoRoute, .. }) => {
                self.project_in_list(named)
            }
            found => Ok(found?),
        }
    }

    fn project_by_id(&self, id: &str) -> Result<WireProject, Fault> {
        let ask = Ask::get(format!("/api/v1/projects/{}", segment(id)), LOOKING);
        self.ask(&ask).map(|one: OneProject| one.project)
    }

    fn project_by_slug(&self, slug: &str) -> Result<WireProject, Fault> {
        let path = format!("/api/v1/projects/slug/{}", segment(slug));
        match self.ask(&Ask::get(path, LOOKING)) {
            Err(Fault { kind: Kind::NoRoute, .. }) => {
                self.ask(&Ask::get(format!("/api/v2/workspace/{}", segment(slug)), LOOKING))
            }
            found => found,
        }
    }

    /// By slug, id or name among all that the login sees.
    fn project_in_list(&self, named: &str) -> Result<WireProject, StoreError> {
        let projects = match self.ask(&Ask::get("/api/v1/projects".into(), LOOKING)) {
            Err(Fault { kind: Kind::NoRoute, .. }) => {
                self.ask(&Ask::get("/api/v1/workspace".into(), LOOKING))
            }
            found => found,
        };
        let Projects { mut projects } = projects?;
        let is_exact = |project: &WireProject| project.slug == named || project.id == named;
        if let Some(at) = projects.iter().position(is_exact) {
            return Ok(projects.swap_remove(at));
        }
        let (mut fitting, others): (Vec<_>, Vec<_>) =
            projects.into_iter().partition(|project| project.name.eq_ignore_ascii_case(named));
        match (fitting.len(), fitting.pop()) {
            (1, Some(project)) => Ok(project),
            (0, _) => {
                Err(self.not_found(format!("no project `{}`; {}", named.escape_default(), seen(&others))))
            }
            (count, _) => {
                let what = format!(
                    "{count} projects have the name `{}`; name it by its slug",
                    named.escape_default()
                );
                Err(self.not_found(what))
            }
        }
    }

    /// A service token belongs to one project.
    fn project_of_token(&self, named: Option<&str>) -> Result<Project, StoreError> {
        let token: WireToken =
            self.ask(&Ask::get("/api/v2/service-token".into(), "asking about the service token"))?;
        let seen = match self.project_by_id(&token.project_id) {
            Ok(project) => Some(project),
            // It is of no use to ask more: the token says what it reaches.
            Err(Fault {
                kind: Kind::NotAllowed | Kind::NoRoute | Kind::NoProject | Kind::NoSecret, ..
            }) => None,
            Err(fault) => return Err(fault.error),
        };
        if let Some(named) = named
            && !is_meant(named, &token.project_id, seen.as_ref())
        {
            let id = &token.project_id;
            let what = format!(
                "the service token is of another project, {id}; set HEKATE_INFISICAL_PROJECT to that, or unset it"
            );
            return Err(self.not_found(what));
        }
        let scopes: Vec<Scope> = token.scopes.into_iter().map(Scope::new).collect();
        Ok(Project { id: token.project_id, environments: reached(&scopes, seen), scopes: Some(scopes) })
    }
}

/// The environments that scopes are in, with the names that the project gives them.
fn reached(scopes: &[Scope], project: Option<WireProject>) -> Vec<WireEnvironment> {
    let slugs: BTreeSet<&String> = scopes.iter().map(|scope| &scope.environment).collect();
    let named = project.map(|project| project.environments).unwrap_or_default();
    let environment = |slug: &String| {
        let known = named.iter().find(|environment| environment.slug == *slug).cloned();
        known.unwrap_or_else(|| WireEnvironment { name: slug.clone(), slug: slug.clone() })
    };
    slugs.into_iter().map(environment).collect()
}

/// Whether a project is the one that was named, as far as that can be seen.
fn is_meant(named: &str, id: &str, seen: Option<&WireProject>) -> bool {
    match seen {
        Some(project) => named == id || named == project.slug || named.eq_ignore_ascii_case(&project.name),
        None => named == id || !is_id(named),
    }
}

/// What projects there are, for people.
fn seen(projects: &[WireProject]) -> String {
    if projects.is_empty() {
        return "this login sees none: add the identity to the project".into();
    }
    let mut slugs: Vec<String> =
        projects.iter().map(|project| project.slug.escape_default().to_string()).collect();
    slugs.sort();
    let more = slugs.len().saturating_sub(SHOWN);
    slugs.truncate(SHOWN);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("there are {}{more}", slugs.join(", "))
}

/// Whether it looks like an id: a UUID.
fn is_id(named: &str) -> bool {
    let is_right = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    named.len() == 36 && named.bytes().enumerate().all(is_right)
}

fn is_slug(named: &str) -> bool {
    let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    named.len() <= 64 && named.bytes().all(is_right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(path: &str) -> Scope {
        Scope { environment: "production".into(), path: path.into() }
    }

    #[test]
    fn a_scope_is_one_folder_or_all_that_a_pattern_fits() {
        assert_eq!(scope("/infrastructure").base(), ("/infrastructure".to_owned(), false));
        assert_eq!(scope("/a/**").base(), ("/a".to_owned(), true));
        assert_eq!(scope("/**").base(), ("/".to_owned(), true));
        assert_eq!(scope("/").base(), ("/".to_owned(), false));
        assert!(scope("/a").may_hold("/a") && !scope("/a").may_hold("/a/b") && !scope("/a").may_hold("/"));
        assert!(scope("/a/**").may_hold("/a/b") && !scope("/a/**").may_hold("/ab"));
        assert!(scope("/").may_hold("/") && !scope("/").may_hold("/a"));
        assert!(scope("/**").is_whole() && !scope("/a/**").is_whole());
    }

    #[test]
    fn folders_lie_under_others_by_whole_names() {
        assert!(is_under("/a/b", "/a") && is_under("/a", "/a") && is_under("/a", "/") && is_under("/", "/"));
        assert!(!is_under("/ab", "/a") && !is_under("/", "/a"));
    }

    #[test]
    fn ids_and_slugs_are_told_by_their_looks() {
        assert!(is_id("00000000-0000-4000-8000-000000000000") && !is_id("kosmos"));
        assert!(is_slug("kosmos-2") && !is_slug("My Project"));
    }
}
