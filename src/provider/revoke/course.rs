//! What comes next, by the answers so far.

use std::slice::Iter;

use super::{Action, Ending, Revocation, Who, find::Find};
use crate::{
    model::Secret,
    net::{Answer, Request},
    provider::{Credential, Occasion, Role, fields::captured},
};

/// The most pages of all lists together: more is no list that a person has made.
const MAX_PAGES: usize = 50;

/// A key, and what it takes to act on it.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The key with what belongs to it. The account is under [`Role::Account`].
    pub credential: Credential<'a>,
    /// An administrator's key; of those in two parts, `ID:SECRET`.
    pub admin: Option<&'a Secret>,
    /// How a new key is named.
    pub name: &'a str,
    /// When.
    pub occasion: &'a Occasion,
}

/// The next thing to do.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send this, and come back with the answer behind the others. Unless it is safe, it changes something.
    Send(Request),
    /// That was it.
    End(Ending),
}

/// One action on one key, at one origin.
#[derive(Debug, Clone, Copy)]
pub struct Course<'a> {
    /// How.
    pub revocation: &'a Revocation,
    /// What.
    pub action: Action,
    /// On which key.
    pub asked: &'a Asked<'a>,
    /// Where.
    pub origin: &'a str,
}

/// What fields can be filled with.
pub(super) struct Learned<'a> {
    pub(super) asked: &'a Asked<'a>,
    pub(super) more: Vec<(&'static str, Secret)>,
}

impl<'a> Learned<'a> {
    fn new(asked: &'a Asked<'a>, revocation: &Revocation) -> Result<Self, String> {
        let mut more = vec![("name", Secret::new(asked.name))];
        let ends = asked.occasion.now.as_second() + NEW_TOKEN_DAYS * 86_400;
        let ends = jiff::Timestamp::from_second(ends).unwrap_or(asked.occasion.now);
        more.push(("expires", Secret::new(ends.strftime("%Y-%m-%d").to_string())));
        let admin = match revocation.who {
            Who::Admin => Some(asked.admin.ok_or("there is no administrator's key for it")?),
            Who::Either => asked.admin,
            _ => None,
        };
        more.push(("acting", admin.unwrap_or(asked.credential.value).clone()));
        if let Some(admin) = admin {
            more.push(("admin", admin.clone()));
            let at = admin.expose().iter().position(|byte| *byte == b':');
            if let Some((id, secret)) = at.map(|at| admin.expose().split_at(at)) {
                more.extend([("admin-id", Secret::new(id)), ("admin-secret", Secret::new(&secret[1..]))]);
            }
        }
        if let Some(regex) = &revocation.id {
            more.push(("id", captured(regex, asked.credential.value)?));
        }
        Ok(Self { asked, more })
    }

    pub(super) fn credential(&self) -> &Credential<'a> {
        &self.asked.credential
    }

    pub(super) fn get(&self, name: &str) -> Option<&Secret> {
        self.more.iter().find(|(known, _)| *known == name).map(|(_, secret)| secret)
    }

    fn set(&mut self, name: &'static str, text: &str) {
        self.more.retain(|(known, _)| *known != name);
        self.more.push((name, Secret::new(text)));
    }
}

/// A period of rotation (90 days) and ten days more, for tokens that have to end.
const NEW_TOKEN_DAYS: i64 = 100;

impl Course<'_> {
    /// The next step, when these answers came, in order, to the requests before.
    pub fn next(&self, answers: &[Answer]) -> Step {
        self.walk(answers).unwrap_or_else(|step| step)
    }

    fn walk(&self, answers: &[Answer]) -> Result<Step, Step> {
        let mut answers = answers.iter();
        let Some(call) = self.revocation.calls.get(&self.action) else {
            return Err(refused(format!("{} has no call for that", self.revocation.provider)));
        };
        let mut learned = Learned::new(self.asked, self.revocation).map_err(refused)?;
        if let Some(find) = self.revocation.find_for(self.action) {
            self.search(find, &mut learned, &mut answers)?;
        }
        let request = call.request(&learned, self.origin).map_err(refused)?;
        Ok(match answers.next() {
            None => Step::Send(request),
            Some(answer) => Step::End(call.read(answer)),
        })
    }

    /// Finds the one key that is this one, and learns its id.
    fn search(
        &self,
        find: &Find,
        learned: &mut Learned<'_>,
        answers: &mut Iter<'_, Answer>,
    ) -> Result<(), Step> {
        let mut pages = 0;
        let account = learned.credential().companion(Role::Account);
        let account = account.map(|account| String::from_utf8_lossy(account.expose()).into_owned());
        let parents = match (&find.parents, account) {
            (None, _) => vec![String::new()],
            (Some(_), Some(account)) => vec![account],
            (Some(parents), None) => self.list(parents, learned, answers, &mut pages)?,
        };
        let mut found = Vec::new();
        for parent in parents {
            learned.set("parent", &parent);
            let ids = self.list(find, learned, answers, &mut pages)?;
            found.extend(ids.into_iter().map(|id| (parent.clone(), id)));
        }
        match found.as_slice() {
            [(parent, id)] => {
                learned.set("parent", parent);
                learned.set("id", id);
                Ok(())
            }
            [] => Err(Step::End(Ending::NotFound)),
            many => Err(Step::End(Ending::Ambiguous(many.len()))),
        }
    }

    /// All ids of a list, page by page.
    fn list(
        &self,
        find: &Find,
        learned: &mut Learned<'_>,
        answers: &mut Iter<'_, Answer>,
        pages: &mut usize,
    ) -> Result<Vec<String>, Step> {
        let mut ids = Vec::new();
        let mut is_first = true;
        loop {
            let request = find.request(learned, self.origin, is_first).map_err(refused)?;
            let answer = answers.next().ok_or(Step::Send(request))?;
            let page = find.read(learned, answer).map_err(refused)?;
            ids.extend(page.ids);
            let Some(cursor) = page.cursor else { return Ok(ids) };
            *pages += 1;
            if *pages >= MAX_PAGES {
                return Err(refused("the list of its keys does not end".into()));
            }
            learned.set("cursor", &cursor);
            is_first = false;
        }
    }
}

fn refused(why: String) -> Step {
    Step::End(Ending::Refused(why))
}
