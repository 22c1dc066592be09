//! A request as the HTTP library takes it, and its answer as ours.

use std::{io::Read, time::Duration};

use ureq::{
    AsSendBody, Body,
    http::{self, HeaderName, HeaderValue, Uri},
};

use super::{Answer, Failure, Method, Origin, Request, Text};
use crate::model::Secret;

/// A path is no longer, in bytes.
const LONGEST_PATH: usize = 16 << 10;
/// A header is no longer, in bytes.
const LONGEST_HEADER: usize = 64 << 10;
/// What is the driver's own to say: where to, and where the request ends.
const OURS: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request that may be sent as it is.
pub(super) struct Message<'a> {
    origin: &'a Origin,
    request: &'a Request,
    body: Option<Secret>,
}

impl<'a> Message<'a> {
    /// Takes a request to an origin that it may go to.
    ///
    /// # Errors
    /// [`Failure::Refused`] where a text in it would be read as more than it is.
    pub(super) fn new(origin: &'a Origin, request: &'a Request) -> Result<Self, Failure> {
        let refuse = |why: String| Err(Failure::Refused { host: origin.host().to_owned(), why });
        if !is_path(request.path.expose().expose()) {
            return refuse("the path of the request has to be percent-encoded, and to start with /".into());
        }
        for (name, value) in &request.headers {
            let is_name = name.len() <= LONGEST_HEADER && HeaderName::from_bytes(name.as_bytes()).is_ok();
            if !is_name || OURS.contains(&name.to_ascii_lowercase().as_str()) {
                return refuse(format!("the request may not have a header `{}`", name.escape_default()));
            }
            if !is_header_value(value.expose().expose()) {
                return refuse(format!("the value of the header `{name}` has a character that ends it"));
            }
        }
        Ok(Self { origin, request, body: request.body.as_ref().map(Text::expose) })
    }

    /// Sends it, and reads the head of what comes back.
    pub(super) fn send(&self, agent: &ureq::Agent) -> Result<http::Response<Body>, ureq::Error> {
        let has_body = !matches!(self.request.method, Method::Get | Method::Delete);
        match &self.body {
            Some(body) => self.run(agent, body.expose()),
            // An empty one says its length.
            None if has_body => self.run(agent, &[][..]),
            None => self.run(agent, ()),
        }
    }

    fn run(&self, agent: &ureq::Agent, body: impl AsSendBody) -> Result<http::Response<Body>, ureq::Error> {
        let request = self.head()?.body(body)?;
        if self.request.is_safe {
            return agent.run(request);
        }
        // A connection that was used before may be closed just now, and then nobody knows whether the request was seen.
        let fresh = agent.configure_request(request).max_idle_age(Duration::ZERO).build();
        agent.run(fresh)
    }

    fn head(&self) -> Result<http::request::Builder, ureq::Error> {
        let path = self.request.path.expose();
        let uri = Uri::try_from([self.origin.as_str().as_bytes(), path.expose()].concat())
            .map_err(http::Error::from)?;
        let mut head = http::Request::builder().method(self.request.method.as_str()).uri(uri);
        for (name, value) in &self.request.headers {
            let mut value = HeaderValue::from_bytes(value.expose().expose()).map_err(http::Error::from)?;
            value.set_sensitive(true);
            head = head.header(name, value);
        }
        Ok(head)
    }
}

fn is_path(path: &[u8]) -> bool {
    // `#` would start what is not sent.
    path.starts_with(b"/")
        && path.len() <= LONGEST_PATH
        && path.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#')
}

fn is_header_value(value: &[u8]) -> bool {
    value.len() <= LONGEST_HEADER && !value.iter().any(u8::is_ascii_control)
}

/// Reads an answer; `None` where its body is longer than `cap` bytes.
pub(super) fn read(response: http::Response<Body>, cap: u64) -> Result<Option<Answer>, ureq::Error> {
    let (head, body) = response.into_parts();
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = head.headers.iter().filter_map(text).collect();
    let mut bytes = Vec::new();
    body.into_reader().take(cap.saturating_add(1)).read_to_end(&mut bytes).map_err(ureq::Error::from)?;
    let body = Secret::new(bytes);
    let is_whole = u64::try_from(body.len()).is_ok_and(|length| length <= cap);
    Ok(is_whole.then(|| Answer { status: head.status.as_u16(), headers, body }))
}
