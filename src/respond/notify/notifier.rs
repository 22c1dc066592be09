//! Who sends the messages.

use std::{net::IpAddr, thread};

use jiff::Timestamp;
use url::Url;

use super::{Channel, Message, Way, body};
use crate::{
    model::Secret,
    net::{Driver, DriverOptions, Failure, Method, Origin, Request, Send, Text},
    respond::{Program, target::Trouble},
};

/// Why a channel could not be told. No text in it holds an address or a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// Trusted config has no such channel.
    #[error("[respond.notify] has no channel `{0}`")]
    Unknown(String),
    /// A variable that should hold an address or a secret.
    #[error("{variable} {why}")]
    Variable {
        /// Which.
        variable: String,
        /// What is wrong with it, and how it is written.
        why: &'static str,
    },
    /// What is needed to send.
    #[error("set up the network: {0}")]
    Network(String),
    /// It was not reached.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// It did not take the message.
    #[error("{host} answered {status}")]
    Status {
        /// Its host.
        host: String,
        /// The status code.
        status: u16,
    },
    /// The program did not take it.
    #[error(transparent)]
    Program(#[from] Trouble),
}

/// Tells people through the channels of trusted config.
pub struct Notifier {
    outlets: Vec<(String, Result<Outlet, NotifyError>)>,
    send: Result<Box<dyn Send>, NotifyError>,
}

/// A channel with its address at hand.
enum Outlet {
    Web { address: Address, form: Form },
    Command(Program),
}

/// How a web service takes messages.
enum Form {
    Slack,
    Teams,
    Json { secret: Option<Secret> },
}

/// The address of a webhook, which is a secret but for its origin.
struct Address {
    origin: Origin,
    path: Secret,
}

impl Notifier {
    /// Takes channels, with their addresses by `variable`. `network` says through what they are reached, and which hosts may lie at private
    /// addresses; its origins do not count. What is wrong with a channel is said when it should be used.
    pub fn new(
        channels: &[Channel],
        network: DriverOptions,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let outlet = |channel: &Channel| (channel.name.clone(), Outlet::new(&channel.way, &variable));
        let outlets: Vec<(String, Result<Outlet, NotifyError>)> = channels.iter().map(outlet).collect();
        let origins = outlets.iter().filter_map(|(_, outlet)| match outlet {
            Ok(Outlet::Web { address, .. }) => Some(address.origin.clone()),
            _ => None,
        });
        let driver = Driver::new(DriverOptions { origins: origins.collect(), ..network });
        let send = match driver {
            Ok(driver) => Ok(Box::new(driver) as Box<dyn Send>),
            Err(error) => Err(NotifyError::Network(error.to_string())),
        };
        Self { outlets, send }
    }

    /// Whether there is nobody to tell.
    pub fn is_empty(&self) -> bool {
        self.outlets.is_empty()
    }

    /// Tells all channels at once, and says of each, in the order of config, how it went.
    pub fn tell(&self, message: &Message) -> Vec<(String, Result<(), NotifyError>)> {
        thread::scope(|scope| {
            let told = self
                .outlets
                .iter()
                .map(|(name, outlet)| (name.clone(), scope.spawn(move || self.through(outlet, message))));
            let told: Vec<_> = told.collect();
            let ended = |handle: thread::ScopedJoinHandle<'_, Result<(), NotifyError>>| {
                handle.join().unwrap_or_else(|_| Err(NotifyError::Network("it stopped in the middle".into())))
            };
            told.into_iter().map(|(name, handle)| (name, ended(handle))).collect()
        })
    }

    /// Tells one channel, without which nothing may be done.
    ///
    /// # Errors
    /// It is not known that it was told.
    pub fn must_tell(&self, channel: &str, message: &Message) -> Result<(), NotifyError> {
        let outlet = self.outlets.iter().find(|(name, _)| name == channel);
        let (_, outlet) = outlet.ok_or_else(|| NotifyError::Unknown(channel.to_owned()))?;
        self.through(outlet, message)
    }

    fn through(&self, outlet: &Result<Outlet, NotifyError>, message: &Message) -> Result<(), NotifyError> {
        match outlet.as_ref().map_err(Clone::clone)? {
            Outlet::Command(program) => Ok(program.tell(json(message).as_bytes())?),
            Outlet::Web { address, form } => {
                let send = self.send.as_ref().map_err(Clone::clone)?;
                let answer = send.send(&request(address, form, message, Timestamp::now()))?;
                match answer.status {
                    200..=299 => Ok(()),
                    status => Err(NotifyError::Status { host: address.origin.host().to_owned(), status }),
                }
            }
        }
    }
}

impl Outlet {
    fn new(way: &Way, variable: &impl Fn(&str) -> Option<String>) -> Result<Self, NotifyError> {
        let address = |name: &String| Address::from_variable(name, variable);
        Ok(match way {
            Way::Slack { url_env } => Self::Web { address: address(url_env)?, form: Form::Slack },
            Way::Teams { url_env } => Self::Web { address: address(url_env)?, form: Form::Teams },
            Way::Webhook { url_env, secret_env } => {
                let secret = secret_env.as_ref().map(|name| value(name, variable)).transpose()?;
                Self::Web { address: address(url_env)?, form: Form::Json { secret } }
            }
            Way::Command(program) => Self::Command(program.clone()),
        })
    }
}

fn value(name: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<Secret, NotifyError> {
    let value = variable(name).filter(|value| !value.trim().is_empty()).map(Secret::new);
    value.ok_or_else(|| NotifyError::Variable { variable: name.to_owned(), why: "is not set" })
}

impl Address {
    fn from_variable(name: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<Self, NotifyError> {
        let text = value(name, variable)?;
        Self::parse(&text).map_err(|why| NotifyError::Variable { variable: name.to_owned(), why })
    }

    fn parse(text: &Secret) -> Result<Self, &'static str> {
        const WRONG: &str = "holds no address of a webhook: it is written https://HOST/PATH";
        let text = std::str::from_utf8(text.expose()).map_err(|_| WRONG)?;
        let url = Url::parse(text.trim()).map_err(|_| WRONG)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds an address with a user in it, which is not sent: take it out");
        }
        let origin: Origin = url.origin().ascii_serialization().parse().map_err(|_| WRONG)?;
        if !origin.is_tls() && !is_here(origin.host()) {
            return Err("holds an address without TLS: it has to be https://");
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Self { origin, path: Secret::new(format!("{}{query}", url.path())) })
    }
}

/// Whether it is this machine, which has to be allowed as every private address.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn json(message: &Message) -> String {
    serde_json::to_string(message).expect("texts are JSON")
}

fn request(address: &Address, form: &Form, message: &Message, now: Timestamp) -> Request {
    let (body, signature) = match form {
        Form::Slack => (body::slack(message).to_string(), None),
        Form::Teams => (body::teams(message).to_string(), None),
        Form::Json { secret } => {
            let body = json(message);
            let signature = secret.as_ref().map(|secret| body::signature(secret, now, &body));
            (body, signature)
        }
    };
    let mut request = Request {
        method: Method::Post,
        origin: address.origin.as_str().to_owned(),
        path: Text::new().secret(address.path.clone()),
        headers: Vec::new(),
        body: Some(Text::new().plain(body)),
        is_safe: false,
    }
    .header("content-type", "application/json");
    if let Some(signature) = signature {
        request = request.header("x-hekate-signature", signature);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Address, &'static str> {
        Address::parse(&Secret::new(text))
    }

    #[test]
    fn addresses_are_https_or_on_this_machine() {
        let path = format!("/services/{}", "T0".repeat(8));
        let good =
            address(&format!(" https://hooks.slack.com{path}?a=1\n")).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(
            (good.origin.as_str(), good.path.expose()),
            ("https://hooks.slack.com", format!("{path}?a=1").as_bytes())
        );
        for text in ["http://127.0.0.1:8080/x", "http://[::1]/x", "http://localhost/x"] {
            assert!(address(text).is_ok(), "{text}");
        }
        for (text, why) in [
            ("http://hooks.slack.com/x", "without TLS"),
            ("http://127.0.0.1.example.com/x", "without TLS"),
            ("https://user:word@example.com/x", "with a user"),
            ("ftp://example.com/x", "https://HOST/PATH"),
            ("hooks.slack.com", "https://HOST/PATH"),
        ] {
            let error = address(text).err().unwrap_or_else(|| panic!("{text} is taken"));
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_request_shows_nothing_of_its_path() {
        let address = address("https://hooks.slack.com/services/abcdefghijklmnop")
            .unwrap_or_else(|why| panic!("{why}"));
        let request = request(&address, &Form::Slack, &Message::new("INC-1", "open"), Timestamp::UNIX_EPOCH);
        assert!(!format!("{request:?}").contains("abcdefgh"), "{request:?}");
    }

    #[test]
    fn a_variable_that_is_not_set_fails_its_channel_only() {
        let slack = |name: &str, variable: &str| Channel {
            name: name.into(),
            way: Way::Slack { url_env: variable.into() },
        };
        let channels = [slack("ops", "HEKATE_OPS_URL"), slack("other", "HEKATE_OTHER_URL")];
        let variable = |name: &str| (name == "HEKATE_OTHER_URL").then(|| "http://127.0.0.1:9/x".to_owned());
        let notifier = Notifier::new(&channels, DriverOptions::default(), variable);
        let message = Message::new("INC-1", "open");
        let told = notifier.tell(&message);
        assert_eq!(told[0].1.as_ref().unwrap_err().to_string(), "HEKATE_OPS_URL is not set");
        // Private addresses have to be allowed.
        assert!(
            matches!(&told[1], (name, Err(NotifyError::Failure(Failure::Refused { .. }))) if name == "other")
        );
        assert!(matches!(notifier.must_tell("nobody", &message), Err(NotifyError::Unknown(_))));
    }
}
