//! One kind of secret: where it is asked about, how, and what is concluded.

use jiff::Timestamp;

use super::{
    Credential, Outcome, Role, TrustedHosts,
    computed::{Reader, Signer},
    fields::{Fields, Place},
    hosts::names_host,
    reading::Reading,
};
use crate::{
    model::Verdict,
    net::{Answer, Method, Request},
    rule::{HttpCheck, Rule},
};

/// How secrets of one kind are asked about.
#[derive(Debug, Clone)]
pub struct Check {
    /// Whose secrets these are: the name under which trusted config lists hosts, and that evidence carries.
    pub provider: String,
    pub(super) hosts: Hosts,
    /// Of its rules, those whose value is the id of a key and not its secret; `None` where nobody said.
    pub(super) ids: Option<Vec<String>>,
    pub(super) how: How,
}

/// Who says where a check may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Hosts {
    /// The check's own origins.
    #[default]
    BuiltIn,
    /// Those, and before them the ones that trusted config names. People run it themselves too, so that a refusal by the built-in
    /// origins alone says nothing.
    Both,
    /// Only those that trusted config names.
    Trusted,
}

#[derive(Debug, Clone)]
pub(super) enum How {
    /// By templates and a table of answers, each of which a function can stand in for.
    Ask { http: Box<HttpCheck>, signer: Option<Signer>, reader: Option<Reader> },
    /// There is no check that changes nothing, and why.
    Never(String),
}

/// What a request may depend on besides the secret: requests are made from values alone.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// The time, for signatures.
    pub now: Timestamp,
    /// Something that was never used before, of letters, digits and `-`.
    pub nonce: String,
}

impl Check {
    /// The check that a rule from trusted config carries. It asks the origins which it names, and no others.
    pub fn of_rule(rule: &Rule) -> Option<Self> {
        let http = rule.verify.clone()?;
        let provider = rule.provider.clone().unwrap_or_else(|| rule.id.clone());
        Some(Self {
            provider,
            hosts: Hosts::BuiltIn,
            ids: None,
            how: How::Ask { http: Box::new(http), signer: None, reader: None },
        })
    }

    /// What to send: each origin's request in the order in which they are asked, until one answer is not [`Outcome::is_open`].
    ///
    /// # Errors
    /// Why nothing can be asked, so that the verdict stays unknown.
    pub fn requests(
        &self,
        credential: &Credential<'_>,
        trusted: &TrustedHosts,
        occasion: &Occasion,
    ) -> Result<Vec<Request>, String> {
        let (http, signer) = match &self.how {
            How::Ask { http, signer, .. } => (http, signer),
            How::Never(why) => return Err(why.clone()),
        };
        let origins = self.origins_for(http, credential, trusted)?;
        let credential = &self.with_its_half(credential);
        origins.iter().map(|origin| made(http, *signer, credential, (origin, occasion))).collect()
    }

    /// What to send to this very origin, which is the caller's to trust.
    ///
    /// # Errors
    /// Why nothing can be asked.
    pub fn request_at(
        &self,
        credential: &Credential<'_>,
        origin: &str,
        occasion: &Occasion,
    ) -> Result<Request, String> {
        match &self.how {
            How::Ask { http, signer, .. } => {
                made(http, *signer, &self.with_its_half(credential), (origin, occasion))
            }
            How::Never(why) => Err(why.clone()),
        }
    }

    /// Whether there is no check that changes nothing.
    pub fn is_never(&self) -> bool {
        matches!(self.how, How::Never(_))
    }

    /// Whether a rule's value is the id of a key, and not its secret.
    pub fn is_id(&self, rule: &str) -> bool {
        self.ids.iter().flatten().any(|id| id == rule)
    }

    /// What one answer says.
    pub fn read(&self, credential: &Credential<'_>, answer: &Answer) -> Outcome {
        match &self.how {
            How::Ask { reader: Some(reader), .. } => (reader.read)(credential, answer),
            How::Ask { http, .. } => Reading::new(answer).outcome(http, credential),
            How::Never(why) => Outcome::unknown(why.clone()),
        }
    }

    /// What the answers of all origins that were asked say together.
    ///
    /// The first that is alive, disabled or locked counts. A secret is inactive only where every place that could know it says so.
    pub fn conclude(
        &self,
        outcomes: Vec<Outcome>,
        credential: &Credential<'_>,
        trusted: &TrustedHosts,
    ) -> Outcome {
        if let Some(closed) = outcomes.iter().find(|outcome| !outcome.is_open()) {
            return closed.clone();
        }
        let unknown = outcomes.iter().find(|outcome| outcome.verdict != Verdict::Inactive);
        if let Some(outcome) =
            unknown.or(outcomes.first().filter(|_| !self.may_live_elsewhere(credential, trusted)))
        {
            return outcome.clone();
        }
        Outcome::unknown(if outcomes.is_empty() {
            "nobody was asked".to_owned()
        } else {
            format!(
                "refused by {}; if it belongs to a host of your own, name that under `{}` in trusted config",
                self.own_hosts().join(", "),
                self.provider
            )
        })
    }

    /// Origins that are built in, so that the driver may connect to them.
    pub fn origins(&self) -> &[String] {
        match &self.how {
            How::Ask { http, .. } => &http.origins,
            How::Never(_) => &[],
        }
    }

    /// Whether asking changes nothing, uses nothing up and locks nothing.
    pub fn is_safe(&self) -> bool {
        match &self.how {
            How::Ask { http, .. } => http.is_safe,
            How::Never(_) => true,
        }
    }

    fn origins_for(
        &self,
        http: &HttpCheck,
        credential: &Credential<'_>,
        trusted: &TrustedHosts,
    ) -> Result<Vec<String>, String> {
        let built_in = http.origins.iter();
        let named = trusted.of(&self.provider).iter();
        let all: Vec<&String> = match self.hosts {
            Hosts::BuiltIn => built_in.collect(),
            Hosts::Both => named.chain(built_in).collect(),
            Hosts::Trusted => named.collect(),
        };
        if all.is_empty() {
            return Err(format!(
                "its host is not in trusted config; name it under `{}` there to have it asked",
                self.provider
            ));
        }
        let beside = host_beside(credential);
        let is_meant = |origin: &&String| beside.as_ref().is_some_and(|host| names_host(host, origin));
        let (mut meant, others): (Vec<&String>, Vec<&String>) = all.into_iter().partition(is_meant);
        // A login that counts is not tried where it is not meant for.
        if meant.is_empty() || http.is_safe {
            meant.extend(others);
        }
        Ok(meant.into_iter().cloned().collect())
    }

    /// Without the companion that the value itself is: beside an id, another id is somebody else's.
    fn with_its_half<'c>(&self, credential: &Credential<'c>) -> Credential<'c> {
        let Some(ids) = &self.ids else { return credential.clone() };
        let own = if ids.iter().any(|id| id == credential.rule) { Role::KeyId } else { Role::KeySecret };
        let companions = credential.companions.iter().filter(|(role, _)| *role != own).cloned().collect();
        Credential { companions, ..credential.clone() }
    }

    /// Whether a host that nobody named could know the secret.
    fn may_live_elsewhere(&self, credential: &Credential<'_>, trusted: &TrustedHosts) -> bool {
        let names_ours = |host: String| self.origins().iter().any(|origin| names_host(&host, origin));
        self.hosts == Hosts::Both
            && trusted.of(&self.provider).is_empty()
            && !host_beside(credential).is_some_and(names_ours)
    }

    fn own_hosts(&self) -> Vec<&str> {
        self.origins().iter().map(|origin| origin.trim_start_matches("https://")).collect()
    }
}

fn host_beside(credential: &Credential<'_>) -> Option<String> {
    credential.companion(Role::Host).map(|host| String::from_utf8_lossy(host.expose()).into_owned())
}

fn made(
    http: &HttpCheck,
    signer: Option<Signer>,
    credential: &Credential<'_>,
    (origin, occasion): (&str, &Occasion),
) -> Result<Request, String> {
    match signer {
        Some(signer) => (signer.requests)(credential, origin, occasion),
        None => request(http, credential, origin),
    }
}

/// A request by a check's templates.
fn request(http: &HttpCheck, credential: &Credential<'_>, origin: &str) -> Result<Request, String> {
    let fields = Fields::new(http, credential)?;
    let mut request = Request::get(origin, fields.fill(&http.path, Place::Path)?);
    request.is_safe = http.is_safe;
    if http.is_post {
        request.method = Method::Post;
    }
    for (name, template) in &http.headers {
        request = request.header(name, fields.fill(template, Place::Header)?);
    }
    request.body = http.body.as_ref().map(|body| fields.fill(body, Place::Body)).transpose()?;
    Ok(request)
}

#[cfg(test)]
mod tests;
