//! Asks, several questions at once.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use super::{
    Job, Setup,
    offline::{Offline, public_keys},
    question::{Http, Question},
};
use crate::{
    net::{Request, dial},
    provider::{
        Occasion, Outcome,
        login::{Target, log_in},
        offline::Listed,
    },
};

/// The outcome of each question, in their order.
pub(super) fn all(jobs: &[Job], setup: &Setup<'_>) -> Vec<Outcome> {
    let threads = setup.threads.clamp(1, jobs.len().max(1));
    let is_of_key = |job: &Job| matches!(job.question, Question::Offline(Offline::Key { .. }, _));
    let known = if jobs.iter().any(is_of_key) { public_keys(setup) } else { Vec::new() };
    // Whoever asks takes the next number, and leaves its outcome in the place of that number.
    let next = Mutex::new(0..jobs.len());
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(vec![None; jobs.len()]);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let Some(index) = next.lock().unwrap_or_else(PoisonError::into_inner).next() else {
                        break;
                    };
                    let outcome = one(&jobs[index].question, setup, &known);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap_or_else(|| Outcome::unknown("it was not asked")))
        .collect()
}

fn one(question: &Question, setup: &Setup<'_>, known: &[Result<Listed, String>]) -> Outcome {
    match question {
        Question::Http(http) => over_http(http, setup),
        Question::Login(target) => by_login(target, setup),
        Question::Offline(offline, value) => offline.check(value, setup, known),
        Question::Nobody(why) => Outcome::unknown(why.clone()),
    }
}

/// The requests that a question takes, in the order in which they are sent.
pub(super) fn requests(http: &Http, setup: &Setup<'_>) -> Result<Vec<Request>, String> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| "the system gives no random numbers".to_owned())?;
    let nonce = random.iter().map(|byte| format!("{byte:02x}")).collect();
    http.check.requests(&http.credential(), &setup.trust.hosts, &Occasion { now: setup.now, nonce })
}

fn over_http(http: &Http, setup: &Setup<'_>) -> Outcome {
    let requests = match requests(http, setup) {
        Ok(requests) => requests,
        Err(why) => return Outcome::unknown(why),
    };
    let credential = http.credential();
    let mut outcomes = Vec::new();
    for request in requests {
        let outcome = match setup.send.send(&request) {
            Ok(answer) => http.check.read(&credential, &answer),
            Err(failure) => Outcome::unknown(failure.to_string()),
        };
        let is_open = outcome.is_open();
        outcomes.push(outcome);
        if !is_open {
            break;
        }
    }
    http.check.conclude(outcomes, &credential, &setup.trust.hosts)
}

fn by_login(target: &Target, setup: &Setup<'_>) -> Outcome {
    let limits = &setup.trust.limits;
    match dial(&target.host, target.port, &setup.trust.database_addresses(), limits.connect) {
        Ok(stream) => log_in(target, stream, limits.total),
        Err(failure) => Outcome::unknown(failure.to_string()),
    }
}
