//! A key that a provider gave out: revoked, switched off, rolled or made anew as `provider/revoke.toml` says; what can't be done by a
//! call is for a person.
//!
//! Where a key is asked about and revoked: the inventory's address, else the hosts that trusted config names for the provider, else its
//! own. Of several, a key belongs to the first that knows it.

mod shape;

use std::{
    thread,
    time::{Duration, Instant},
};

use super::{
    Accepts, Act, Birth, Means, Target, Trouble, Values,
    web::{occasion, origin, send},
};
use crate::{
    inventory,
    model::{Secret, Verdict},
    provider::{
        Check, Credential, Outcome, Role, check_of,
        revoke::{Action, Asked, Course, Ending, Revocation, Step, Who, revocation_of, revocations_by},
    },
};

use shape::Shapes;

/// The most requests of one action: no list of keys is longer.
const MAX_REQUESTS: usize = 200;

/// A key that a provider gave out.
#[derive(Debug)]
pub struct Provider<'a> {
    means: Means<'a>,
    provider: String,
    shapes: Shapes,
    /// The rule of the value that is replaced, for plans: an act looks at the value itself.
    rule: String,
    companions: Vec<(Role, Secret)>,
    url: Option<String>,
    admin_key_env: Option<String>,
    page: Option<String>,
    /// Whether a new one follows it.
    is_replaced: bool,
    deletes: bool,
    patience: Duration,
    pause: Duration,
}

impl<'a> Provider<'a> {
    /// The key that the inventory names. With its value the plan is exact, where a provider has several kinds of keys.
    pub fn of_entry(entry: &inventory::Provider, value: Option<&Secret>, means: Means<'a>) -> Self {
        let shapes = Shapes::of_provider(&entry.provider, entry.account.is_some());
        let rule = value.map_or_else(|| shapes.usual(), |value| shapes.rule_of(value)).to_owned();
        Self {
            companions: companions(entry),
            url: entry.url.clone(),
            admin_key_env: entry.admin_key_env.clone(),
            page: entry.page.clone(),
            is_replaced: true,
            ..Self::bare(entry.provider.clone(), shapes, rule, means)
        }
    }

    /// A key that was found and is in no inventory: it is ended, and nothing follows it. An administrator's key, where that is needed, is
    /// the variable `HEKATE_<PROVIDER>_ADMIN_KEY`. `None` where nothing is known of keys of this rule.
    pub fn of_finding(rule: &str, companions: Vec<(Role, Secret)>, means: Means<'a>) -> Option<Self> {
        let revocation = revocation_of(rule)?;
        let provider = revocation.provider.clone();
        let variable = provider.to_ascii_uppercase().replace('-', "_");
        Some(Self {
            companions,
            admin_key_env: Some(format!("HEKATE_{variable}_ADMIN_KEY")),
            ..Self::bare(provider, Shapes::of_rule(rule), rule.to_owned(), means)
        })
    }

    fn bare(provider: String, shapes: Shapes, rule: String, means: Means<'a>) -> Self {
        Self {
            means,
            provider,
            shapes,
            rule,
            companions: Vec::new(),
            url: None,
            admin_key_env: None,
            page: None,
            is_replaced: false,
            deletes: false,
            patience: Duration::from_secs(60),
            pause: Duration::from_secs(3),
        }
    }

    /// Also deletes where switching off would do, and where more than the key goes with it: for those who ask for that by name.
    #[must_use]
    pub fn deleting(mut self) -> Self {
        self.deletes = true;
        self
    }

    /// Waits so long for a revocation that was submitted, and asks so often.
    #[must_use]
    pub fn waiting(mut self, patience: Duration, pause: Duration) -> Self {
        (self.patience, self.pause) = (patience, pause);
        self
    }

    /// How keys of a rule are ended; of one that nothing is known of, as the provider's usual keys are.
    fn revocation(&self, rule: &str) -> Option<&'static Revocation> {
        revocation_of(rule).or_else(|| revocations_by(&self.provider).next())
    }

    fn planned(&self) -> Option<&'static Revocation> {
        self.revocation(&self.rule)
    }

    fn admin(&self) -> Option<Secret> {
        self.admin_key_env.as_deref().and_then(|name| (self.means.variable)(name))
    }

    /// Whether there is the key that it takes.
    fn is_able(&self, revocation: &Revocation) -> bool {
        match revocation.who {
            Who::Public | Who::Own | Who::Either => true,
            Who::Admin => self.admin().is_some(),
            Who::Person => false,
        }
    }

    fn able(&self) -> Option<&'static Revocation> {
        self.planned().filter(|revocation| self.is_able(revocation))
    }

    fn rolls(&self) -> bool {
        self.is_replaced && self.able().is_some_and(|one| one.can(Action::Roll))
    }

    fn mints(&self) -> bool {
        let has_account = self.companions.iter().any(|(role, _)| *role == Role::Account);
        let fits = |one: &&Revocation| one.can(Action::Mint) && (has_account || !one.mints_in_account);
        self.is_replaced && !self.rolls() && self.able().as_ref().is_some_and(fits)
    }

    /// What an act comes to here.
    fn action(&self, act: Act) -> Option<Action> {
        let revocation = self.able()?;
        let first = |actions: &[Action]| actions.iter().copied().find(|action| revocation.can(*action));
        match act {
            // Rolling needs the old value, and ends it.
            Act::Contain | Act::Retire if self.rolls() => None,
            Act::Contain => first(&[Action::Deactivate, Action::Revoke]),
            Act::Retire if self.deletes => first(&[Action::Delete, Action::Revoke, Action::Deactivate]),
            Act::Retire => first(&[Action::Revoke, Action::Deactivate]),
            Act::Release => first(&[Action::Activate]),
            Act::Withdraw if self.mints() => first(&[Action::TakeBack]),
            Act::Check | Act::Introduce | Act::Withdraw | Act::EndSessions => None,
        }
    }

    /// Where a key may be sent, of built-in origins of a check or a revocation.
    fn origins(&self, built_in: &[String]) -> Vec<String> {
        if let Some(url) = &self.url {
            return vec![origin(url)];
        }
        match self.means.hosts.of(&self.provider) {
            [] => built_in.to_vec(),
            named => named.to_vec(),
        }
    }

    fn credential<'v>(&self, rule: &'v str, value: &'v Secret) -> Credential<'v> {
        Credential { rule, value, companions: self.companions.clone() }
    }

    /// What the provider says of a value.
    fn ask(&self, value: &Secret) -> Outcome {
        let rule = self.shapes.rule_of(value).to_owned();
        let Some(check) = check_of(&rule) else {
            return Outcome::unknown("there is no check of such keys");
        };
        let credential = self.credential(&rule, value);
        let mut last = Outcome::unknown("its host is not known; give the target a `url`");
        let mut is_everywhere_inactive = true;
        for origin in self.origins(check.origins()) {
            let made = occasion().and_then(|now| check.request_at(&credential, &origin, &now));
            let answer = made
                .and_then(|request| self.means.send.send(&request).map_err(|failure| failure.to_string()));
            let outcome = match answer {
                Ok(answer) => check.read(&credential, &answer),
                Err(why) => Outcome::unknown(why),
            };
            if !outcome.is_open() {
                return outcome;
            }
            // One place that can't tell is enough for nobody to know.
            if is_everywhere_inactive {
                is_everywhere_inactive = outcome.verdict == Verdict::Inactive;
                last = outcome;
            }
        }
        last
    }

    /// Whether anything has to be done to a key that is to end; an error where its id is not known to be its own.
    fn is_to_end(&self, action: Action, value: &Secret) -> Result<bool, Trouble> {
        let rule = self.shapes.rule_of(value);
        let outcome = self.ask(value);
        // The id beside it belongs to another secret: nothing is said of this one.
        let is_mismatch =
            outcome.detail.as_ref().is_some_and(|detail| detail.contains("SignatureDoesNotMatch"));
        let must_log_in = self.revocation(rule).is_some_and(|one| one.is_proved_by_login)
            && !check_of(rule).is_some_and(|check| check.is_id(rule));
        match outcome.verdict {
            Verdict::Active | Verdict::Restricted => Ok(true),
            Verdict::Inactive | Verdict::Disabled if !is_mismatch => Ok(action == Action::Delete),
            _ if !must_log_in => Ok(true),
            Verdict::Unknown(why) => {
                Err(self.by_hand(&format!("its id could not be proved to be its own: {why}")))
            }
            _ => Err(self.by_hand("the id that is known for it belongs to another key")),
        }
    }

    fn run(&self, action: Action, value: &Secret, incident: &str) -> Result<Ending, Trouble> {
        self.go(action, value, incident, false)
    }

    /// Goes through an action, place by place; on trial only so far that nothing is changed.
    fn go(&self, action: Action, value: &Secret, incident: &str, is_trial: bool) -> Result<Ending, Trouble> {
        let rule = self.shapes.rule_of(value).to_owned();
        let Some(revocation) = self.revocation(&rule) else {
            return Ok(Ending::Refused("nothing is known of such keys".into()));
        };
        let (admin, name) = (self.admin(), format!("hekate-{incident}"));
        let occasion = occasion().map_err(Trouble::Refused)?;
        let credential = self.credential(&rule, value);
        let asked = Asked { credential, admin: admin.as_ref(), name: &name, occasion: &occasion };
        let mut first = None;
        for origin in self.origins(revocation.origins()) {
            let course = Course { revocation, action, asked: &asked, origin: &origin };
            let ending = match self.follow(&course, is_trial) {
                Err(Trouble::Refused(why)) => Ending::Refused(why),
                other => other?,
            };
            match ending {
                Ending::Gone | Ending::Refused(_) | Ending::NotFound => {
                    // A refusal weighs more than that another place does not know it.
                    if !matches!((&first, &ending), (Some(Ending::Refused(_)), _) | (Some(_), Ending::Gone)) {
                        first = Some(ending);
                    }
                }
                other => return Ok(other),
            }
        }
        Ok(first.unwrap_or_else(|| Ending::Refused("its host is not known; give the target a `url`".into())))
    }

    fn follow(&self, course: &Course<'_>, is_trial: bool) -> Result<Ending, Trouble> {
        let mut answers = Vec::new();
        loop {
            match course.next(&answers) {
                Step::End(ending) => return Ok(ending),
                Step::Send(_) if answers.len() >= MAX_REQUESTS => {
                    return Ok(Ending::Refused("it takes more requests than there are keys".into()));
                }
                Step::Send(request) if is_trial && !request.is_safe => return Ok(Ending::Done(None)),
                Step::Send(request) => answers.push(send(&self.means, &request)?),
            }
        }
    }

    /// What an ending means for an act on this value.
    fn settle(&self, ending: Ending, value: &Secret) -> Result<(), Trouble> {
        match ending {
            Ending::Done(_) | Ending::Gone => Ok(()),
            Ending::Submitted => self.wait_for_end(value),
            Ending::Refused(why) => Err(Trouble::Refused(self.said(&why))),
            Ending::Unclear(why) => Err(Trouble::Unclear(self.said(&why))),
            Ending::NotFound | Ending::Ambiguous(_) if self.accepts(value) == Accepts::No => Ok(()),
            Ending::NotFound => Err(self.by_hand("none of the keys that are listed is this one")),
            Ending::Ambiguous(count) => {
                Err(self.by_hand(&format!("{count} of the keys that are listed could be this one")))
            }
        }
    }

    /// A revocation that was submitted is one when the key is refused.
    fn wait_for_end(&self, value: &Secret) -> Result<(), Trouble> {
        let until = Instant::now() + self.patience;
        loop {
            let why = match self.accepts(value) {
                Accepts::No => return Ok(()),
                Accepts::Yes => "it is still accepted".to_owned(),
                Accepts::Unknown(why) => why,
            };
            let is_never_told = check_of(self.shapes.rule_of(value)).is_none_or(Check::is_never);
            if is_never_told || Instant::now() + self.pause >= until {
                return Err(Trouble::Unclear(self.said(&format!("its end was submitted; {why}"))));
            }
            thread::sleep(self.pause);
        }
    }

    fn said(&self, why: &str) -> String {
        format!("{}: {why}", self.provider)
    }

    fn page(&self) -> Option<String> {
        self.page.clone().or_else(|| self.planned().and_then(|one| one.page.clone()))
    }

    fn what(&self) -> String {
        self.planned().map_or_else(|| "end the key and make a new one".to_owned(), |one| one.what.clone())
    }

    fn steps(&self) -> Vec<String> {
        self.page().into_iter().chain([self.what()]).collect()
    }

    fn by_hand(&self, why: &str) -> Trouble {
        Trouble::Person([self.said(why)].into_iter().chain(self.steps()).collect())
    }

    /// What is still to be done to the old value where there is no call: nothing once it is refused.
    fn await_person(&self, value: &Secret) -> Result<(), Trouble> {
        if self.accepts(value) == Accepts::No {
            return Ok(());
        }
        let admin =
            self.admin_key_env.as_deref().filter(|_| self.planned().is_some_and(|one| one.who == Who::Admin));
        Err(match admin {
            Some(name) => self.by_hand(&format!("{name} is not set")),
            None => Trouble::Person(self.steps()),
        })
    }

    /// Whether it could be done: whether the key is told from others, by an administrator's key that may list them.
    fn check(&self, values: &Values<'_>) -> Result<(), Trouble> {
        let Some(planned) = self.planned() else {
            return Err(Trouble::Refused(self.said("nothing is known of such keys")));
        };
        let roll = self.rolls().then_some(Action::Roll);
        let Some(action) = roll.or_else(|| self.action(Act::Retire)) else { return Ok(()) };
        if planned.is_proved_by_login && !self.is_to_end(action, values.old)? {
            return Ok(());
        }
        let ending = self.go(action, values.old, values.incident, true)?;
        self.settle(ending, values.old)
    }

    fn roll(&self, values: &Values<'_>) -> Result<Secret, Trouble> {
        // Shown a second time, an old value can end the new one (GitLab), and its id can't be asked for any more (Cloudflare).
        match self.accepts(values.old) {
            Accepts::Yes => {}
            Accepts::No => {
                return Err(
                    self.by_hand("the old value is refused already: an earlier try may have replaced it")
                );
            }
            Accepts::Unknown(why) => return Err(Trouble::Refused(self.said(&why))),
        }
        self.born(Action::Roll, values)
    }

    fn mint(&self, values: &Values<'_>) -> Result<Secret, Trouble> {
        match self.run(Action::TakeBack, values.old, values.incident)? {
            Ending::NotFound | Ending::Done(_) | Ending::Gone => self.born(Action::Mint, values),
            Ending::Unclear(why) => Err(Trouble::Unclear(self.said(&why))),
            Ending::Ambiguous(count) => {
                Err(self.by_hand(&format!("{count} keys are named hekate-{}", values.incident)))
            }
            Ending::Submitted => Err(Trouble::Unclear(self.said("an earlier key is still being taken back"))),
            Ending::Refused(why) => Err(Trouble::Refused(self.said(&why))),
        }
    }

    fn born(&self, action: Action, values: &Values<'_>) -> Result<Secret, Trouble> {
        match self.run(action, values.old, values.incident)? {
            Ending::Done(Some(new)) => Ok(new),
            Ending::Refused(why) => Err(Trouble::Refused(self.said(&why))),
            Ending::NotFound | Ending::Ambiguous(_) => Err(self.by_hand("the key is not found")),
            Ending::Unclear(why) => Err(Trouble::Unclear(self.said(&why))),
            Ending::Done(None) | Ending::Gone | Ending::Submitted => {
                Err(Trouble::Unclear(self.said("there is no new value")))
            }
        }
    }
}

/// What the inventory says that belongs to a key.
fn companions(entry: &inventory::Provider) -> Vec<(Role, Secret)> {
    let (account, key_id) = match entry.provider.as_str() {
        "azure" => (Role::Tenant, Role::ClientId),
        "gcp" => (Role::Email, Role::KeyId),
        "langfuse" => (Role::Account, Role::PublicKey),
        _ => (Role::Account, Role::KeyId),
    };
    let named = [(account, &entry.account), (key_id, &entry.key_id)];
    named.into_iter().filter_map(|(role, text)| Some((role, Secret::new(text.as_deref()?)))).collect()
}

impl Target for Provider<'_> {
    fn name(&self) -> String {
        let account = self.companions.iter().find(|(role, _)| *role == Role::Account);
        let account = account
            .filter(|_| self.is_replaced)
            .map(|(_, text)| format!(" of {}", String::from_utf8_lossy(text.expose())));
        format!("key of {}{}", self.provider, account.unwrap_or_default())
    }

    fn birth(&self) -> Birth {
        if self.rolls() || self.mints() {
            Birth::Issued
        } else {
            Birth::Person { page: self.page(), what: self.what() }
        }
    }

    fn overlaps(&self) -> bool {
        !self.rolls()
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let revocation = self.planned()?;
        let origins = self.origins(revocation.origins());
        let origin = origins.first().map_or("https://<host>", String::as_str);
        match (act, self.action(act)) {
            (_, Some(action)) => Some(revocation.preview(action, origin)),
            (Act::Check, None) => Some(vec![format!("ask {} whether the key is accepted", self.provider)]),
            (Act::Retire, None) if !self.rolls() => {
                Some(vec![format!("a person: {}", self.steps().join(" · "))])
            }
            _ => None,
        }
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        match (act, self.action(act)) {
            (Act::Check, _) => self.check(values),
            (Act::Contain | Act::Retire, Some(action)) => {
                if !self.is_to_end(action, values.old)? {
                    return Ok(());
                }
                let ending = self.run(action, values.old, values.incident)?;
                self.settle(ending, values.old)
            }
            (Act::Retire, None) if !self.rolls() => self.await_person(values.old),
            (Act::Withdraw, Some(action)) => {
                match self.run(action, values.old, values.incident)? {
                    // It was never made, or is taken back already.
                    Ending::NotFound => Ok(()),
                    ending => self.settle(ending, values.new.unwrap_or(values.old)),
                }
            }
            (Act::Release, Some(action)) => {
                if self.accepts(values.old) == Accepts::Yes {
                    return Ok(());
                }
                match self.run(action, values.old, values.incident)? {
                    Ending::NotFound => Err(self.by_hand("none of the keys that are listed is this one")),
                    ending => self.settle(ending, values.old),
                }
            }
            _ => Ok(()),
        }
    }

    fn can_tell(&self) -> bool {
        check_of(&self.rule).is_some_and(|check| !check.is_never())
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        super::verdict(self.ask(value).verdict)
    }

    fn issue(&self, values: &Values<'_>) -> Result<Secret, Trouble> {
        if self.rolls() {
            self.roll(values)
        } else if self.mints() {
            self.mint(values)
        } else {
            Err(Trouble::Person(self.steps()))
        }
    }
}
