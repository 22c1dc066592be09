//! Tokens of the manager that reach further, or live longer, than they need to.

use crate::inventory::{
    Consumer, Entry, Inventory, Period, Scope, Token,
    review::{Code, Problem},
};

/// What the platform rotates its tokens by.
const LONGEST: Period = Period::days(30);

pub(super) fn problems(inventory: &Inventory) -> Vec<Problem> {
    inventory.tokens.iter().flat_map(|token| judge(inventory, token)).collect()
}

fn judge(inventory: &Inventory, token: &Token) -> Vec<Problem> {
    let subject = format!("token {}", token.name);
    let mut problems = Vec::new();
    match token.expires {
        None => problems.push(Problem::of(Code::TokenForEver, &subject)),
        Some(period) if period.seconds() > LONGEST.seconds() => {
            problems.push(Problem::with(Code::TokenLongLived, &subject, format!("it lives {period}")));
        }
        Some(_) => {}
    }
    for scope in &token.scopes {
        if scope.permission.is_change() {
            problems.push(Problem::with(Code::TokenWrites, &subject, scope.to_string()));
        }
        let reached = reached(inventory, scope);
        if reached.is_empty() {
            problems.push(Problem::with(Code::IdlePath, &subject, scope.to_string()));
        }
        if let Some(why) = excess(inventory, token, scope, &reached) {
            problems.push(Problem::with(Code::TokenTooWide, &subject, format!("{scope}: {why}")));
        }
    }
    problems
}

/// The secrets of the inventory that a scope speaks of.
fn reached<'a>(inventory: &'a Inventory, scope: &Scope) -> Vec<&'a Entry> {
    let is_covered = |entry: &&Entry| {
        entry.environments.iter().any(|environment| scope.covers(environment, &entry.path()))
    };
    inventory.entries.iter().filter(is_covered).collect()
}

/// Why a scope is wider than it should be.
fn excess(inventory: &Inventory, token: &Token, scope: &Scope, reached: &[&Entry]) -> Option<String> {
    const SHOWN: usize = 3;
    if scope.path.is_everything() {
        return Some("every secret of the project".to_owned());
    }
    if scope.environment.is_none() && inventory.environments.len() > 1 {
        return Some("every environment".to_owned());
    }
    let needed: Vec<&&Entry> = reached.iter().filter(|entry| needs(token, entry)).collect();
    let is_known = !token.needs.is_empty() || inventory.entries.iter().any(|entry| needs(token, entry));
    if !is_known || needed.len() == reached.len() {
        return None;
    }
    let spare: Vec<&str> =
        reached.iter().filter(|entry| !needs(token, entry)).map(|entry| entry.name.as_str()).collect();
    let more = spare.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("nobody reads {}{tail} with it", spare[..spare.len().min(SHOWN)].join(", ")))
}

/// Whether a secret is read with this token: the token's own list says so, or a consumer.
fn needs(token: &Token, entry: &Entry) -> bool {
    let reads = |consumer: &Consumer| consumer.token.as_ref() == Some(&token.name);
    token.needs.iter().any(|pattern| pattern.matches(&entry.path())) || entry.consumers.iter().any(reads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::review::fake::inventory;

    fn of(token: &str) -> Vec<String> {
        let text = format!(
            "project: p\nenvironments: [staging, production]\nfolders: {{a: [X, Y, Z], b: [W]}}\n\
             secrets: {{W: {{consumers: [{{type: deployment, namespace: n, name: w, token: operator}}]}}}}\n\
             tokens:\n  - {{name: operator, expires: 30d, scopes: ['p:production:/b/*:read']}}\n  - {token}\n"
        );
        let shown =
            |problem: &Problem| format!("{}: {}", problem.code, problem.detail.clone().unwrap_or_default());
        problems(&inventory(&text)).iter().map(shown).collect()
    }

    #[test]
    fn tokens_end_within_thirty_days() {
        assert!(of("{name: t, expires: 30d, scopes: ['p:production:/a/*:read']}").is_empty());
        assert_eq!(
            of("{name: t, expires: 31d, scopes: ['p:production:/a/*:read']}"),
            ["token-long-lived: it lives 31d"]
        );
        assert_eq!(of("{name: t, scopes: ['p:production:/a/*:read']}"), ["token-for-ever: "]);
    }

    #[test]
    fn tokens_read_and_only_what_is_needed() {
        for (scope, needs, expected) in [
            ("p:production:/a/*:write", "", "token-writes: p:production:/a/*:write"),
            ("p:production:/*:read", "", "token-too-wide: p:production:/*:read: every secret of the project"),
            ("p:*:/a/*:read", "", "token-too-wide: p:*:/a/*:read: every environment"),
            (
                "p:production:/a/*:read",
                "/a/X",
                "token-too-wide: p:production:/a/*:read: nobody reads Y, Z with it",
            ),
            ("p:production:/c/*:read", "", "idle-path: p:production:/c/*:read"),
        ] {
            let token = format!("{{name: t, expires: 30d, scopes: ['{scope}'], needs: [{needs}]}}");
            assert_eq!(of(&token), [expected], "{token}");
        }
        assert!(of("{name: t, expires: 30d, scopes: ['p:production:/a/X:read'], needs: [/a/X]}").is_empty());
    }

    #[test]
    fn consumers_say_what_is_needed_too() {
        let text = "project: p\nenvironments: [production]\nfolders: {b: [V, W]}\n\
             secrets: {W: {consumers: [{type: deployment, namespace: n, name: w, token: t}]}}\n\
             tokens: [{name: t, expires: 30d, scopes: ['p:production:/b/*:read']}]\n";
        let problems = problems(&inventory(text));
        assert_eq!(problems[0].detail.as_deref(), Some("p:production:/b/*:read: nobody reads V with it"));
    }
}
