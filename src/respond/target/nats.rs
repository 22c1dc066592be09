//! A user of nats-server: its passwords stand in the server's configuration, which no call can write. A person changes it; a login
//! proves it.

use super::{Accepts, Act, Means, Target, Trouble, Values};
use crate::{
    inventory,
    model::Secret,
    net::{AddressPolicy, dial},
    provider::login::{self, Service, Tls, log_in},
};

/// A user of nats-server.
#[derive(Debug, Clone, Copy)]
pub struct Nats<'a> {
    target: &'a inventory::Nats,
    variable: &'a str,
    means: Means<'a>,
}

impl<'a> Nats<'a> {
    /// The user that the inventory names, whose password is the secret of this name.
    pub fn new(target: &'a inventory::Nats, variable: &'a str, means: Means<'a>) -> Self {
        Self { target, variable, means }
    }

    fn steps(&self, which: &str) -> Vec<String> {
        let user = &self.target.user;
        let account = self.target.account.as_deref().unwrap_or("$SYS");
        vec![
            format!("nats-server.conf: accounts {{ {account} {{ users = [ {{ user: {user}, password: ${} }} ] }} }}", self.variable),
            format!("let the environment variable {} of every nats-server have the {which} value", self.variable),
            "restart the servers one after the other; a password that stands in the file itself is read by `nats-server --signal reload`".into(),
            "where the file holds a bcrypt hash, make it with `nats server passwd`, which asks for the password".into(),
        ]
    }

    /// Done where the value is in force, else for a person.
    fn await_person(&self, value: &Secret, which: &str) -> Result<(), Trouble> {
        if self.accepts(value) == Accepts::Yes { Ok(()) } else { Err(Trouble::Person(self.steps(which))) }
    }
}

impl Target for Nats<'_> {
    fn name(&self) -> String {
        format!("NATS user {} at {}:{}", self.target.user, self.target.host, self.target.port)
    }

    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        match act {
            Act::Check => Some(vec![format!("log in to {}:{}", self.target.host, self.target.port)]),
            Act::Introduce => Some(self.steps("new")),
            Act::Withdraw => Some(self.steps("old")),
            Act::Contain | Act::Release | Act::Retire | Act::EndSessions => None,
        }
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        match (act, values.new) {
            (Act::Check, _) => match self.accepts(values.old) {
                Accepts::Unknown(why) => Err(Trouble::Refused(why)),
                Accepts::Yes | Accepts::No => Ok(()),
            },
            (Act::Introduce, Some(new)) => self.await_person(new, "new"),
            (Act::Withdraw, Some(_)) => self.await_person(values.old, "old"),
            _ => Ok(()),
        }
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        let target = login::Target {
            service: Service::Nats,
            host: self.target.host.clone(),
            port: self.target.port,
            user: Some(self.target.user.clone()),
            password: value.clone(),
            database: None,
            tls: if self.target.tls { Tls::Required { ca: None } } else { Tls::Preferred { ca: None } },
            is_replication: false,
        };
        // The inventory is trusted: what it names may lie at a private address.
        let addresses = AddressPolicy::allowing([&target.host]);
        match dial(&target.host, target.port, &addresses, self.means.limits.connect) {
            Ok(stream) => super::verdict(log_in(&target, stream, self.means.limits.total).verdict),
            Err(failure) => Accepts::Unknown(failure.to_string()),
        }
    }
}
