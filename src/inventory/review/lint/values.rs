//! Values that are weak, or stand in two places. Whatever is said of them, they are not shown.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    detect::{canonical, is_placeholder, strength_bits},
    inventory::{
        Inventory, is_development,
        review::{Code, Holdings, Placed, Problem},
    },
    model::Secret,
};

/// What a person would call short.
const LEAST_CHARACTERS: usize = 16;
/// What takes an attacker years and not hours, with the estimate of [`strength_bits`].
const LEAST_BITS: f32 = 64.0;

/// Values that stand in two environments or under two names.
pub(super) fn shared(inventory: &Inventory, holdings: &Holdings) -> Vec<Problem> {
    let mut places: BTreeMap<Secret, Vec<Placed<'_>>> = BTreeMap::new();
    for placed in holdings.in_force().filter(|placed| is_secret(inventory, placed)) {
        // A key is one key, whether it stands as PEM or in base64, and with a line end or without.
        let value = Secret::new(canonical(placed.stored.value.expose().trim_ascii()).into_owned());
        places.entry(value).or_default().push(placed);
    }
    let shared = places.into_values().filter(|places| places.len() > 1);
    shared.map(|places| shared_problem(&places)).collect()
}

fn shared_problem(places: &[Placed<'_>]) -> Problem {
    let differs = |key: fn(&Placed<'_>) -> String| {
        let first = key(&places[0]);
        places.iter().any(|placed| key(placed) != first)
    };
    let in_several = differs(|placed| placed.environment.to_owned());
    let in_development = places.iter().any(|placed| is_development(placed.environment));
    let code = match (in_several, in_development) {
        (true, true) => Code::DevelopmentValue,
        (true, false) => Code::SharedEnvironments,
        (false, _) => Code::SharedNames,
    };
    let mut subjects: Vec<String> = places.iter().map(Placed::place).collect();
    subjects.sort();
    let has_names = in_several && differs(|placed| placed.stored.path.in_environment());
    Problem { code, subjects, detail: has_names.then(|| "under several names, too".to_owned()) }
}

/// Values that are too weak, each told once, by the worst that can be said of it.
pub(super) fn weak(inventory: &Inventory, holdings: &Holdings) -> Vec<Problem> {
    let mut problems = Vec::new();
    for placed in holdings.in_force().filter(|placed| is_secret(inventory, placed)) {
        let value = placed.stored.value.expose();
        problems.extend(weakness(value.trim_ascii()).map(|code| Problem::of(code, placed.place())));
        if has_white_space_around(value) {
            problems.push(Problem::of(Code::WhiteSpace, placed.place()));
        }
        problems.extend(small_key(inventory, placed));
    }
    problems
}

fn weakness(value: &[u8]) -> Option<Code> {
    // A key's strength is its length, and its text is armour.
    if let Cow::Owned(_) = canonical(value) {
        return None;
    }
    if is_placeholder(value) {
        return Some(Code::Placeholder);
    }
    if Secret::new(value).characters() < LEAST_CHARACTERS {
        return Some(Code::Short);
    }
    (strength_bits(value) < LEAST_BITS).then_some(Code::Guessable)
}

/// Keys in PEM form end with one line feed, and may.
fn has_white_space_around(value: &[u8]) -> bool {
    let is_pem = value.starts_with(b"-----BEGIN ");
    let value = if is_pem { value.strip_suffix(b"\n").unwrap_or(value) } else { value };
    value.trim_ascii().len() < value.len()
}

/// An RSA key that is plainly shorter than the inventory wants it.
fn small_key(inventory: &Inventory, placed: Placed<'_>) -> Option<Problem> {
    let path = &placed.stored.path;
    let entry = inventory.entry(&path.name).filter(|entry| entry.folder == path.folder)?;
    let bits = entry.signing.as_ref()?.bits?;
    let key = canonical(placed.stored.value.expose().trim_ascii());
    let body = key.strip_prefix(b"pem:")?;
    let body = body.splitn(2, |byte| *byte == b':').nth(1)?;
    // RFC 8017, A.1.2: a private key holds its modulus once, and six numbers that are once or half as long: 4.5 times its
    // length, and some more for headers. The next smaller usual length stays well under that.
    let least = bits as usize / 8 * 9 / 2;
    let is_small = body.len() / 4 * 3 < least;
    is_small.then(|| Problem::with(Code::SmallKey, placed.place(), format!("it should have {bits} bits")))
}

/// Whether the value is a secret of its own: neither empty, nor put together from others, nor public.
fn is_secret(inventory: &Inventory, placed: &Placed<'_>) -> bool {
    let path = &placed.stored.path;
    let value = placed.stored.value.expose();
    let is_reference = value.windows(2).any(|pair| pair == b"${");
    let is_public = || {
        let key = inventory.followed_by(&path.folder, &path.name).and_then(|entry| entry.signing.as_ref());
        key.is_some_and(|signing| signing.next_public_name == path.name)
    };
    !value.trim_ascii().is_empty() && !is_reference && !is_public()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;
    use crate::inventory::review::{
        fake::{FakeStore, inventory},
        lint,
    };

    const INVENTORY: &str = "\
project: kosmos
environments: [development, staging, production]
folders:
  infrastructure: [A, B]
  authentication: [JWT_SIGNING_KEY]
secrets:
  JWT_SIGNING_KEY:
    signing: { algorithm: RS256, bits: 4096, next_name: JWT_V2, next_public_name: JWT_PUBLIC_V2, grace: 15m }
";

    fn random(seed: u64, length: usize) -> Vec<u8> {
        let mut rng = fastrand::Rng::with_seed(seed);
        (0..length).map(|_| rng.u8(..)).collect()
    }

    fn strong(seed: u64) -> String {
        STANDARD.encode(random(seed, 32))
    }

    fn pem(seed: u64, der: usize) -> String {
        let kind = "RSA PRIVATE KEY";
        format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(random(seed, der)))
    }

    fn problems(store: &FakeStore) -> Vec<String> {
        let inventory = inventory(INVENTORY);
        let review = lint(&inventory, &Holdings::read(store, &inventory, &[]).unwrap());
        review
            .problems
            .iter()
            .map(|problem| format!("{} {}", problem.code, problem.subjects.join(" ")))
            .collect()
    }

    fn store(secrets: &[(&str, &str, &str)]) -> FakeStore {
        let mut store = FakeStore::default();
        for environment in ["development", "staging", "production"] {
            store.add_environment(environment);
        }
        for (environment, name, value) in secrets {
            store.put(environment, "/infrastructure", name, value);
        }
        store
    }

    #[test]
    fn one_value_in_two_places_is_told_by_their_names() {
        let (one, two, three) = (strong(1), strong(2), strong(3));
        let store = store(&[
            ("development", "A", &one),
            ("production", "A", &one),
            ("staging", "B", &two),
            ("production", "B", &two),
            ("staging", "A", &three),
            ("staging", "C", &format!("{three}\n")),
        ]);
        insta::assert_snapshot!(problems(&store).join("\n"), @"
        development-value development:/infrastructure/A production:/infrastructure/A
        shared-environments production:/infrastructure/B staging:/infrastructure/B
        shared-names staging:/infrastructure/A staging:/infrastructure/C
        white-space staging:/infrastructure/C
        ");
    }

    #[test]
    fn weak_values_are_told_by_the_worst_that_can_be_said() {
        let guessable = "correct-horse-battery";
        let store = store(&[
            ("production", "A", "changeme"),
            ("production", "B", &strong(1)[..15]),
            ("staging", "A", guessable),
            ("staging", "B", &strong(2)),
            ("development", "A", &"ab".repeat(12)),
        ]);
        insta::assert_snapshot!(problems(&store).join("\n"), @"
        placeholder development:/infrastructure/A
        placeholder production:/infrastructure/A
        short production:/infrastructure/B
        guessable staging:/infrastructure/A
        ");
    }

    #[test]
    fn a_signing_key_is_as_long_as_the_inventory_says() {
        let mut store = store(&[]);
        for (environment, der) in [("development", 1_218), ("staging", 1_794), ("production", 2_349)] {
            store.put(environment, "/authentication", "JWT_SIGNING_KEY", &pem(1, der + 1));
        }
        assert_eq!(
            problems(&store),
            [
                "small-key development:/authentication/JWT_SIGNING_KEY",
                "small-key staging:/authentication/JWT_SIGNING_KEY"
            ]
        );
    }

    #[test]
    fn one_key_in_two_forms_is_one_value() {
        let mut store = store(&[]);
        let key = pem(7, 2_400);
        store.put("staging", "/authentication", "JWT_SIGNING_KEY", &key);
        store.put("production", "/authentication", "JWT_SIGNING_KEY", &STANDARD.encode(&key));
        assert_eq!(
            problems(&store),
            [
                "shared-environments production:/authentication/JWT_SIGNING_KEY staging:/authentication/JWT_SIGNING_KEY"
            ]
        );
    }

    #[test]
    fn references_and_public_keys_are_no_secrets_of_their_own() {
        let mut store =
            store(&[("staging", "A", "${B}"), ("production", "A", "${B}"), ("production", "B", "")]);
        store.put("staging", "/authentication", "JWT_PUBLIC_V2", "public");
        store.put("production", "/authentication", "JWT_PUBLIC_V2", "public");
        assert_eq!(problems(&store), Vec::<String>::new());
    }
}
