//! What would be asked, without asking it.

use super::{Reader, Setup, ask, plan, question::Question};
use crate::{model::Report, net::Request};

/// One question, as it may be shown: nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The findings that it is about, by their place in the report.
    pub findings: Vec<usize>,
    /// What would be sent, a line each; or why nothing would be.
    pub lines: Vec<String>,
}

/// What [`super::verify`] would ask about a report. Nothing is sent, and no name is looked up.
pub fn preview(report: &Report, reader: &dyn Reader, setup: &Setup<'_>) -> Vec<Preview> {
    let lines = |question: &Question| match question {
        Question::Nobody(why) => vec![format!("no request: {why}")],
        Question::Login(target) => {
            let user = target.user.as_deref().unwrap_or("the default user");
            vec![format!("login to {} at {}:{} as {user}", target.service.name(), target.host, target.port)]
        }
        Question::Offline(..) => vec!["nobody is told of it: it is checked by itself".to_owned()],
        Question::Http(http) => match ask::requests(http, setup) {
            Ok(requests) => requests.iter().flat_map(shown).collect(),
            Err(why) => vec![format!("no request: {why}")],
        },
    };
    let jobs = plan(report, reader, setup);
    jobs.into_iter().map(|job| Preview { lines: lines(&job.question), findings: job.findings }).collect()
}

fn shown(request: &Request) -> Vec<String> {
    let mut lines =
        vec![format!("{} {}{}", request.method.as_str(), request.origin, request.path.redacted())];
    lines.extend(request.headers.iter().map(|(name, value)| format!("  {name}: {}", value.redacted())));
    lines.extend(request.body.iter().map(|body| format!("  body: {}", body.redacted())));
    lines
}
