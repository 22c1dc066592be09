//! GitHub's revocation of many tokens at once: <https://docs.github.com/rest/credentials/revoke>

use zeroize::Zeroizing;

use super::table::revocation_of;
use crate::{
    model::Secret,
    net::{Method, Request, Text},
};

/// The most tokens in one request. Sixty requests may be sent in an hour.
pub const BULK_LIMIT: usize = 1_000;

/// Whether values of a rule can be revoked together.
pub fn is_in_bulk(rule: &str) -> bool {
    revocation_of(rule).is_some_and(|one| one.provider == "github" && one.who == super::Who::Public)
}

/// Requests that have all these GitHub tokens revoked, each for at most [`BULK_LIMIT`]; a 202 means *submitted*, so that each token has
/// to be asked about afterwards. None bears a key of anybody: an authenticated request is refused. A value that is no text is left out,
/// as it is no token.
pub fn bulk_revocations(tokens: &[Secret], origin: &str) -> Vec<Request> {
    tokens.chunks(BULK_LIMIT).map(|chunk| bulk_request(chunk, origin)).collect()
}

fn bulk_request(tokens: &[Secret], origin: &str) -> Request {
    let texts = tokens.iter().filter_map(|token| std::str::from_utf8(token.expose()).ok());
    let mut body = Text::from(r#"{"credentials":["#);
    for (at, text) in texts.enumerate() {
        let quoted = Zeroizing::new(serde_json::Value::from(text).to_string());
        body = body.plain(if at == 0 { "" } else { "," }).secret(Secret::new(quoted.as_bytes()));
    }
    let mut request = Request::get(origin, "/credentials/revoke")
        .header("accept", "application/vnd.github+json")
        .header("content-type", "application/json")
        .header("x-github-api-version", "2026-03-10");
    request.method = Method::Post;
    request.is_safe = false;
    request.body = Some(body.plain("]}"));
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_in_batches_and_nobody_signs_them() {
        let tokens: Vec<Secret> = (0..2_001).map(|at| Secret::new(format!("token-{at}"))).collect();
        let requests = bulk_revocations(&tokens, "https://api.github.com");
        let sizes: Vec<usize> = requests
            .iter()
            .map(|request| {
                let body = request.body.as_ref().unwrap().expose();
                let json: serde_json::Value = serde_json::from_slice(body.expose()).unwrap();
                json["credentials"].as_array().unwrap().len()
            })
            .collect();
        assert_eq!(sizes, [1_000, 1_000, 1]);
        assert!(requests.iter().all(|one| one.headers.iter().all(|(name, _)| name != "authorization")));
        assert!(requests.iter().all(|one| !one.is_safe));
        assert!(!format!("{requests:?}").contains("token-1"));
        assert!(bulk_revocations(&[], "https://api.github.com").is_empty());
    }
}
