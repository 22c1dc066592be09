//! Values that are nearly what a rule looks for: too short, too long, with a character that none has, with a wrong checksum.

use regex_automata::meta::Regex;
use regex_syntax::hir::{Hir, Look};

use super::Templater;

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NearMiss {
    /// One character shorter than the shortest.
    Short,
    /// One character longer than the longest.
    Long,
    /// A character in its middle is of another alphabet.
    Alphabet,
    /// Its checksum is wrong.
    Checksum,
}

impl NearMiss {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Short, Self::Long, Self::Alphabet, Self::Checksum];
}

/// Longer ones are not made.
const LONGEST: usize = 4096;

impl Templater {
    /// A value that the rule's secrets come close to and that is none; `None` where the pattern leaves no room for one.
    pub fn near_miss(&self, miss: NearMiss, seed: u64) -> Option<Vec<u8>> {
        let secret = self.secret()?;
        let token = self.render("{token}", seed).ok()?.tokens.pop()?;
        let wrong = match miss {
            NearMiss::Checksum => {
                let has_one = self.rule().checksum.is_some_and(|sum| sum.verify(&token) == Some(true));
                return has_one.then(|| self.render("{token:checksum}", seed).ok().map(|made| made.text))?;
            }
            NearMiss::Short => {
                let least = secret.properties().minimum_len()?.saturating_sub(1);
                token.get(..least).filter(|rest| !rest.is_empty())?.to_vec()
            }
            NearMiss::Long => {
                let most = secret.properties().maximum_len().filter(|most| *most < LONGEST)?;
                // In its middle, by a letter or digit: what stands at the end may be padding, and at a joint a value may end.
                let (head, tail) = token.split_at(token.len() / 2);
                let more = tail.iter().find(|byte| byte.is_ascii_alphanumeric()).or(tail.first())?;
                let more = vec![*more; (most + 1).saturating_sub(token.len())];
                [head, &more, tail].concat()
            }
            NearMiss::Alphabet => return self.of_another_alphabet(secret, &token),
        };
        (!matches_whole(secret, &wrong)?).then_some(wrong)
    }

    fn of_another_alphabet(&self, secret: &Hir, token: &[u8]) -> Option<Vec<u8>> {
        let middle = token.len() / 2;
        [b'!', b'*', b'~', b'^'].into_iter().find_map(|other| {
            let mut wrong = token.to_vec();
            *wrong.get_mut(middle)? = other;
            let parts = [&wrong[..], &wrong[..middle], &wrong[middle + 1..]];
            // What is left on either side may be a value by itself.
            let is_none = |part: &&[u8]| matches_whole(secret, part) == Some(false);
            parts.iter().all(is_none).then_some(wrong)
        })
    }
}

/// Whether an expression matches a text from its start to its end; `None` where it can't be compiled.
fn matches_whole(hir: &Hir, text: &[u8]) -> Option<bool> {
    let anchored = Hir::concat(vec![Hir::look(Look::Start), hir.clone(), Hir::look(Look::End)]);
    let regex =
        Regex::builder().configure(Regex::config().utf8_empty(false)).build_from_hir(&anchored).ok()?;
    Some(regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::rule::{Extends, RulePack};

    fn misses(rule: &str) -> Vec<Option<String>> {
        let text = format!("[[rules]]\nid = 'acme'\n{rule}");
        let pack = RulePack::parse(&text, Path::new("t.toml"), Extends::Allowed).unwrap();
        let templater = Templater::new(&pack.rules[0]);
        let text = |miss| templater.near_miss(miss, 1).map(|miss| String::from_utf8(miss).unwrap());
        NearMiss::ALL.into_iter().map(text).collect()
    }

    #[test]
    fn misses_are_near_and_none() {
        let [short, long, alphabet, checksum] = &misses("regex = '(acme_[0-9a-f]{8})'")[..] else { panic!() };
        assert_eq!(short.as_ref().unwrap().len(), 12);
        assert_eq!(long.as_ref().unwrap().len(), 14);
        assert!(alphabet.as_ref().unwrap().contains('!'));
        assert_eq!(*checksum, None);
        assert!(misses("regex = '(ghp_[0-9A-Za-z]{36})'\nchecksum = 'github'")[3].is_some());
    }

    #[test]
    fn patterns_without_a_bound_have_no_longer_one() {
        assert_eq!(misses("regex = '(acme_[0-9]{8,})'")[1], None);
    }
}
