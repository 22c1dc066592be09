//! Requests to the API server: read, patch, and change until it is so.

use std::{
    fmt,
    time::{Duration, Instant},
};

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    access::Access,
    fault::Fault,
    object::Object,
    wait::{Over, Watch},
};
use crate::{
    model::Secret,
    net::{Answer, Limits, Method, Request, Send, Text},
    respond::target::Trouble,
};

/// A server that can't be reached for so long is not there, or is not the right one.
const UNREACHABLE: Duration = Duration::from_secs(30);
/// So often a change is tried that others' changes get in the way of.
const MOST_CONFLICTS: usize = 8;

/// A cluster, and who asks it.
#[derive(Clone, Copy)]
pub struct Cluster<'a> {
    send: &'a dyn Send,
    access: &'a Access,
}

impl fmt::Debug for Cluster<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cluster({})", self.access)
    }
}

/// How a patch is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatchKind {
    /// RFC 7386. Custom resources take no other.
    Merge,
    /// Of Kubernetes' own objects: lists of maps are merged by name.
    Strategic,
}

impl PatchKind {
    fn content_type(self) -> &'static str {
        match self {
            Self::Merge => "application/merge-patch+json",
            Self::Strategic => "application/strategic-merge-patch+json",
        }
    }
}

/// A change to an object.
#[derive(Debug, Clone)]
pub(super) struct Patch {
    pub(super) kind: PatchKind,
    /// Who the server notes as the one that changed it.
    pub(super) manager: &'static str,
    pub(super) body: Text,
}

impl Patch {
    pub(super) fn merge(body: &Value) -> Self {
        Self { kind: PatchKind::Merge, manager: "hekate", body: Text::from(body.to_string()) }
    }

    pub(super) fn strategic(manager: &'static str, body: &Value) -> Self {
        Self { kind: PatchKind::Strategic, manager, body: Text::from(body.to_string()) }
    }
}

/// What every object has.
#[derive(Deserialize)]
struct Named {
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

impl<'a> Cluster<'a> {
    /// A cluster behind what sends; [`Access::driver_options`] has what a driver needs for it.
    pub fn new(send: &'a dyn Send, access: &'a Access) -> Self {
        Self { send, access }
    }

    /// An object; none where there is none.
    pub(super) fn find<T: DeserializeOwned>(
        &self,
        object: &Object,
        watch: &Watch<'_>,
    ) -> Result<Option<T>, Trouble> {
        self.find_or(&[Fault::Missing], object, watch)
    }

    /// An object; none also where we may not read it.
    pub(super) fn find_if_allowed<T: DeserializeOwned>(
        &self,
        object: &Object,
        watch: &Watch<'_>,
    ) -> Result<Option<T>, Trouble> {
        self.find_or(&[Fault::Missing, Fault::Forbidden], object, watch)
    }

    fn find_or<T: DeserializeOwned>(
        &self,
        none: &[Fault],
        object: &Object,
        watch: &Watch<'_>,
    ) -> Result<Option<T>, Trouble> {
        let begun = Instant::now();
        loop {
            let fault = match self.get(object) {
                Ok(found) => return Ok(Some(found)),
                Err(fault) if none.contains(&fault) => return Ok(None),
                Err(fault) => fault,
            };
            let is_hopeless = matches!(fault, Fault::Unsent(_)) && begun.elapsed() >= UNREACHABLE;
            let Some(pause) = fault.passing().filter(|_| !is_hopeless) else {
                return Err(fault.trouble("get", object));
            };
            watch.pause(pause).map_err(|over| Trouble::Refused(late(&fault, "get", object, over)))?;
        }
    }

    /// An object that has to be there.
    pub(super) fn read<T: DeserializeOwned>(&self, object: &Object, watch: &Watch<'_>) -> Result<T, Trouble> {
        self.find(object, watch)?.ok_or_else(|| Fault::Missing.trouble("get", object))
    }

    /// Reads an object and patches it until `decide` has nothing more to change; gives it as it then is.
    ///
    /// Whatever happens to an answer, the next reading shows whether the change was made, so a change is never made twice.
    pub(super) fn change<T: DeserializeOwned>(
        &self,
        object: &Object,
        watch: &Watch<'_>,
        decide: &mut dyn FnMut(&T) -> Result<Option<Patch>, Trouble>,
    ) -> Result<T, Trouble> {
        let (mut conflicts, mut may_be_done) = (0, false);
        loop {
            let current: T = self.read(object, watch).map_err(|trouble| doubted(trouble, may_be_done))?;
            let decided = decide(&current).map_err(|trouble| doubted(trouble, may_be_done))?;
            let Some(patch) = decided else { return Ok(current) };
            let fault = match self.patch(object, &patch) {
                Ok(changed) => return Ok(changed),
                Err(fault) => fault,
            };
            may_be_done |= fault.is_unclear();
            conflicts += usize::from(fault == Fault::Conflict);
            let pause = match fault.passing() {
                Some(pause) if conflicts < MOST_CONFLICTS => pause,
                _ => return Err(doubted(fault.trouble("patch", object), may_be_done)),
            };
            if let Err(over) = watch.pause(pause) {
                return Err(doubted(Trouble::Refused(late(&fault, "patch", object, over)), may_be_done));
            }
        }
    }

    /// Whether the account may do something with an object, in the server's own judgement.
    pub(super) fn may(&self, verb: &str, object: &Object) -> Result<bool, Fault> {
        #[derive(Deserialize)]
        struct Review {
            status: Status,
        }
        #[derive(Deserialize)]
        struct Status {
            #[serde(default)]
            allowed: bool,
        }
        let resource = object.resource;
        let body = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {
                "namespace": object.namespace, "verb": verb, "group": resource.group,
                "resource": resource.plural, "name": object.name,
            }},
        });
        let mut request =
            self.request(Method::Post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews");
        request = request.header("content-type", "application/json");
        request.body = Some(Text::from(body.to_string()));
        // It asks, and makes nothing.
        request.is_safe = true;
        let review: Review = parse(&self.ask(&request)?)?;
        Ok(review.status.allowed)
    }

    fn get<T: DeserializeOwned>(&self, object: &Object) -> Result<T, Fault> {
        parse_object(object, &self.ask(&self.request(Method::Get, &object.path()))?)
    }

    fn patch<T: DeserializeOwned>(&self, object: &Object, patch: &Patch) -> Result<T, Fault> {
        let path = format!("{}?fieldManager={}", object.path(), patch.manager);
        let mut request =
            self.request(Method::Patch, &path).header("content-type", patch.kind.content_type());
        request.body = Some(patch.body.clone());
        parse_object(object, &self.ask(&request)?)
    }

    fn request(&self, method: Method, path: &str) -> Request {
        Request {
            method,
            origin: self.access.origin().to_string(),
            path: Text::from(format!("{}{path}", self.access.base())),
            headers: vec![("accept".to_owned(), Text::from("application/json"))],
            body: None,
            is_safe: method == Method::Get,
        }
    }

    /// Sends with credentials. Where they are refused, they may be older than they have to be: once more with fresh ones.
    fn ask(&self, request: &Request) -> Result<Answer, Fault> {
        let token = self.access.bearer(None).map_err(|error| Fault::Credential(error.to_string()))?;
        let answer = self.send_as(request, token.as_ref())?;
        let answer = match (answer.status, token) {
            (401, Some(token)) => {
                let fresh = self.access.bearer(Some(&token));
                let fresh = fresh.map_err(|error| Fault::Credential(error.to_string()))?;
                if fresh.as_ref() == Some(&token) { answer } else { self.send_as(request, fresh.as_ref())? }
            }
            _ => answer,
        };
        Fault::of_answer(&answer).map_or(Ok(answer), Err)
    }

    fn send_as(&self, request: &Request, token: Option<&Secret>) -> Result<Answer, Fault> {
        let mut request = request.clone();
        if let Some(token) = token {
            request = request.header("authorization", Text::from("Bearer ").secret(token.clone()));
        }
        self.send.send(&request).map_err(Fault::of_failure)
    }
}

fn late(fault: &Fault, verb: &str, object: &Object, over: Over) -> String {
    format!("{}; nothing better came {over}", fault.explain(verb, object))
}

/// What was certain is not, once an answer was lost.
fn doubted(trouble: Trouble, may_be_done: bool) -> Trouble {
    match trouble {
        Trouble::Refused(text) if may_be_done => Trouble::Unclear(text),
        other => other,
    }
}

fn parse<T: DeserializeOwned>(answer: &Answer) -> Result<T, Fault> {
    // What the parser says may quote the answer.
    serde_json::from_slice(answer.body.expose())
        .map_err(|_| Fault::Lost("what came back is no answer of Kubernetes".to_owned()))
}

fn parse_object<T: DeserializeOwned>(object: &Object, answer: &Answer) -> Result<T, Fault> {
    let named: Named = parse(answer)?;
    if named.metadata.name != object.name {
        return Err(Fault::Lost("what came back is another object".to_owned()));
    }
    parse(answer)
}

/// How long requests to a cluster may take, and how much comes back: objects are up to 1.5 MiB, base64 and bookkeeping included.
pub(super) fn limits() -> Limits {
    Limits {
        total: Duration::from_secs(30),
        body: 8 << 20,
        pace: Duration::from_millis(20),
        at_once: 4,
        ..Limits::default()
    }
}
