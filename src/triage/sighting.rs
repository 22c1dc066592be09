//! The decision on each match of one blob.

use std::{borrow::Cow, collections::BTreeMap, io, sync::OnceLock};

use super::{
    Baseline, Before, Date, IgnoreFile,
    allowlist::{self, Compiled, Look, Subject},
    before::FileBefore,
    belief,
    companion::{Beside, Standing},
    examine::{Core, Examined, Place, masks, places},
    overlap::{Claim, standing},
};
use crate::{
    detect::{Content, Detector, Expression, MOST_MATCHES, RawMatch},
    model::{
        Confidence, Evidence, Exposure, Fingerprint, FingerprintKey, Gap, GapReason, LineDigest, Moment,
        Occurrence, Position, Secret, Span, Suppression,
    },
    rule::{Allowlist, Detection, Origin, Rule},
};

/// What decides beside the rules.
#[derive(Debug)]
pub struct Policy {
    /// Global allowlists.
    pub allowlists: Vec<Allowlist>,
    /// Whether these are the user's own: a scanned repository's can't hide what is known to be real.
    pub is_trusted: bool,
    /// `.gitleaksignore` of the repository one works in.
    pub ignore_file: IgnoreFile,
    /// That repository, as absolute names of files would start with it; empty for none.
    pub repository: String,
    /// Where names that are not absolute start within it, empty or with a `/` at the end.
    pub prefix: String,
    /// Accepted findings.
    pub baseline: Baseline,
    /// What fingerprints are made under.
    pub key: FingerprintKey,
    /// On which baseline entries expire.
    pub today: Date,
    /// Whether sightings keep the clear text of their match.
    pub show_secrets: bool,
    /// Files before the change under scan, where marks that it adds itself don't count.
    pub before: Option<Before>,
}

impl Default for Policy {
    /// Nothing is accepted, by nobody's key, on the first day of 1970.
    fn default() -> Self {
        Self {
            allowlists: Vec::new(),
            is_trusted: false,
            ignore_file: IgnoreFile::default(),
            repository: String::new(),
            prefix: String::new(),
            baseline: Baseline::default(),
            key: FingerprintKey::public(),
            today: Date::from_unix(0),
            show_secrets: false,
            before: None,
        }
    }
}

impl Policy {
    /// The path of a scanned file within the repository one works in.
    fn in_repository<'a>(&self, path: &'a str) -> Cow<'a, str> {
        let inside = path.strip_prefix(&self.repository).filter(|_| !self.repository.is_empty());
        match inside.and_then(|rest| rest.strip_prefix('/')) {
            Some(inside) => Cow::Borrowed(inside),
            None if self.prefix.is_empty() || path.starts_with('/') => Cow::Borrowed(path),
            None => Cow::Owned(format!("{}{path}", self.prefix)),
        }
    }
}

/// One place of a secret, decided on.
#[derive(Debug)]
pub struct Sighting {
    /// Index of the rule in the detector.
    pub rule: usize,
    /// What makes two places one secret.
    pub canonical: Secret,
    /// As it stands there.
    pub secret: Secret,
    /// The value in the clear, where it is encoded there.
    pub decoded: Option<Secret>,
    /// Identity of the secret; `None` where it is too weak to have a public one, and its places stand for it.
    pub fingerprint: Option<Fingerprint>,
    /// How far the match is believed.
    pub confidence: Confidence,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// What stands near it and belongs to it.
    pub companions: Vec<Beside>,
    /// Where.
    pub occurrence: Occurrence,
    /// Why it does not count, if so.
    pub suppression: Option<Suppression>,
    /// Whether what is scanned brings it in; else it was there before, and is known only to be masked.
    pub is_added: bool,
    /// How far this place is out.
    pub exposure: Exposure,
    /// Commits that have it; the oldest and the newest of a secret count.
    pub seen: Vec<Stamp>,
}

impl Sighting {
    /// The same with what belongs to it: the whole is believed as far as the most credible of its parts.
    fn with(mut self, companions: Vec<Beside>) -> Self {
        self.confidence =
            companions.iter().map(|one| one.confidence).chain([self.confidence]).max().expect("its own");
        self.companions = companions;
        self
    }
}

/// A commit, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// Seconds since 1970.
    pub time: i64,
    /// Which.
    pub moment: Moment,
}

/// Allowlists or path patterns that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{owner}: {message}")]
pub struct TriageError {
    owner: String,
    message: String,
}

/// Decides what becomes of a detector's matches.
pub struct Triage<'d> {
    pub(super) detector: &'d Detector,
    pub(super) policy: Policy,
    rules: Vec<RuleFilter>,
    /// Rules that look at paths only.
    path_rules: Vec<usize>,
    pub(super) global: Vec<Compiled>,
}

/// Where content stands.
#[derive(Debug, Clone, Copy)]
pub struct Site<'a> {
    /// As reports write it.
    pub path: &'a str,
    /// The commit's id, in history.
    pub commit: Option<&'a str>,
}

/// What a rule itself says of places; compiled when first needed.
struct RuleFilter {
    path: OnceLock<Option<Expression>>,
    allowlists: OnceLock<Vec<Compiled>>,
}

impl<'d> Triage<'d> {
    /// Makes the policy ready for a detector's rules.
    ///
    /// # Errors
    /// A user's regex that is too big to run.
    pub fn new(detector: &'d Detector, policy: Policy) -> Result<Self, TriageError> {
        let mut rules = Vec::new();
        for rule in detector.rules() {
            let filter = RuleFilter { path: OnceLock::new(), allowlists: OnceLock::new() };
            if rule.origin != Origin::BuiltIn {
                let fail = |message: String| TriageError { owner: format!("rule `{}`", rule.id), message };
                let path = rule.path.as_deref().map(Expression::compile).transpose();
                let path = path.map_err(|error| fail(error.to_string()))?;
                let allowlists = compile_all(&rule.allowlists).map_err(|error| fail(error.to_string()))?;
                rules.push(RuleFilter { path: OnceLock::from(path), allowlists: OnceLock::from(allowlists) });
            } else {
                rules.push(filter);
            }
        }
        let fail =
            |error: regex::Error| TriageError { owner: "allowlists".into(), message: error.to_string() };
        let global = compile_all(&policy.allowlists).map_err(fail)?;
        let is_of_path = |(_, rule): &(usize, &Rule)| rule.detection == Detection::Path && !rule.skip_report;
        let path_rules = detector.rules().enumerate().filter(is_of_path).map(|(index, _)| index).collect();
        Ok(Self { detector, policy, rules, path_rules, global })
    }

    /// What finds what is decided on here.
    pub fn detector(&self) -> &'d Detector {
        self.detector
    }

    /// What it was made with.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The same, for what comes after the last scan.
    pub fn into_policy(self) -> Policy {
        self.policy
    }

    /// Decides on the matches of a file at this path.
    ///
    /// # Errors
    /// What reading the content says.
    pub fn judge(
        &self,
        content: &dyn Content,
        path: &str,
        mut matches: Vec<RawMatch>,
    ) -> io::Result<Vec<Sighting>> {
        matches.retain(|found| self.concerns(found.rule, path));
        if matches.is_empty() {
            return Ok(Vec::new());
        }
        let masks = masks(&matches);
        let places = places(content, &matches)?;
        let both = matches.iter().zip(&places);
        let claims: Vec<Claim<'_>> = both.map(|(found, place)| self.claim(found, *place)).collect();
        let in_repository = self.policy.in_repository(path);
        let before = self.file_before(&in_repository);
        // One by one: the surroundings of all matches of a file in one line would not fit into memory.
        standing(self.detector, &claims)
            .into_iter()
            .map(|Standing { index, companions }| {
                let examined = self.examine_one(content, &matches[index], places[index], (&masks, None))?;
                let sighting = self.decide(&examined, Site { path, commit: None }, before.as_ref());
                let beside = |other: usize| Beside {
                    rule: matches[other].rule,
                    secret: matches[other].secret.clone(),
                    confidence: claims[other].confidence,
                    at: (places[other].start, places[other].end),
                };
                Ok(sighting.with(companions.into_iter().map(beside).collect()))
            })
            .collect()
    }

    fn claim<'m>(&self, found: &'m RawMatch, place: Place) -> Claim<'m> {
        Claim {
            rule: found.rule,
            secret_span: found.secret_span,
            confidence: belief::confidence(self.detector.rule(found.rule), found),
            known: found.known.as_ref().map(|known| known.value),
            path: found.decoded.as_ref().map(|decoded| decoded.path.as_slice()).unwrap_or_default(),
            at: place.matched,
            start: place.start,
        }
    }

    /// Decides on the matches of a blob at a place in history; those in entries of an archive are decided on entry by entry.
    pub fn judge_at(&self, site: Site<'_>, examined: &[Examined]) -> Vec<Sighting> {
        let mut by_entry: BTreeMap<Option<&str>, Vec<&Examined>> = BTreeMap::new();
        for one in examined {
            by_entry.entry(one.entry.as_deref()).or_default().push(one);
        }
        let mut sightings = Vec::new();
        for (entry, examined) in by_entry {
            let path =
                entry.map_or(Cow::Borrowed(site.path), |entry| Cow::Owned(format!("{}{entry}", site.path)));
            sightings.extend(self.judge_content(Site { path: &path, ..site }, &examined));
        }
        sightings
    }

    fn judge_content(&self, site: Site<'_>, examined: &[&Examined]) -> Vec<Sighting> {
        let concerns = |one: &&Examined| self.concerns(one.core.rule, site.path);
        let here: Vec<&Examined> = examined.iter().copied().filter(concerns).collect();
        let claims: Vec<Claim<'_>> = here.iter().map(|one| one.claim()).collect();
        let in_repository = self.policy.in_repository(site.path);
        let before = self.file_before(&in_repository);
        let beside = |other: usize| Beside {
            rule: here[other].core.rule,
            secret: here[other].core.secret.clone(),
            confidence: here[other].core.confidence,
            at: (here[other].place.start, here[other].place.end),
        };
        let decide = |Standing { index, companions }: Standing| {
            let sighting = self.decide(here[index], site, before.as_ref());
            sighting.with(companions.into_iter().map(beside).collect())
        };
        standing(self.detector, &claims).into_iter().map(decide).collect()
    }

    /// Sightings of rules that look at paths only, of a file of a tree.
    pub fn judge_path(&self, path: &str) -> Vec<Sighting> {
        self.judge_path_at(Site { path, commit: None })
    }

    /// The same of a file at a place in history.
    pub fn judge_path_at(&self, site: Site<'_>) -> Vec<Sighting> {
        let due = self.path_rules.iter().filter(|index| self.concerns(**index, site.path));
        due.map(|index| self.of_path(*index, self.detector.rule(*index), site)).collect()
    }

    /// What is left out of a file at this path, by the rules that have too many matches in it.
    pub fn cut(&self, path: &str, rules: impl Iterator<Item = usize>) -> Vec<Gap> {
        let gap = |rule: usize| Gap {
            path: path.to_owned(),
            reason: GapReason::Cap,
            detail: format!(
                "rule `{}` matches more than {MOST_MATCHES} times in it, the rest is left out; `hekate rules lint` says what to do",
                self.detector.rule(rule).id
            ),
        };
        rules.filter(|rule| self.concerns(*rule, path)).map(gap).collect()
    }

    /// Whether the rule holds for files at this path.
    fn concerns(&self, rule: usize, path: &str) -> bool {
        let filter = self.rules[rule].path.get_or_init(|| Expression::of_path(self.detector.rule(rule)));
        filter.as_ref().is_none_or(|regex| {
            let inside = self.policy.in_repository(path);
            regex.is_match(path.as_bytes()) || inside != path && regex.is_match(inside.as_bytes())
        })
    }

    /// The file as it stood before the change, where a change is judged.
    fn file_before<'a>(&'a self, in_repository: &'a str) -> Option<FileBefore<'a>> {
        self.policy.before.as_ref().map(|before| before.file(in_repository))
    }

    fn decide(&self, examined: &Examined, site: Site<'_>, before: Option<&FileBefore<'_>>) -> Sighting {
        let Examined { core, file_span, place, .. } = examined;
        let in_repository = self.policy.in_repository(site.path);
        let weak_place = core.line.as_ref().map(|line| Fingerprint::of_place(&in_repository, line));
        let accepted = Accepted {
            fingerprint: core.fingerprint.or(weak_place),
            canonical: &core.canonical,
            lines: [place.matched.line, place.start.line],
        };
        // Where a change is judged, the lines have to have stood there with their mark: so nobody accepts a secret of their own, and
        // nobody puts one under a mark that is there.
        let stood = |mark: &&Secret| before.is_none_or(|file| file.holds(mark.expose()));
        let suppression = match core.mark.as_ref().filter(stood) {
            Some(_) => Some(Suppression::InlineMark),
            None => {
                let listed = self.listed(core, site);
                listed.or_else(|| self.accepted(core.rule, site, &accepted))
            }
        };
        let at = Occurrence::of_file(site.path.to_owned(), place.start, place.end, *file_span);
        let occurrence = Occurrence {
            excerpt: core.excerpt.clone(),
            match_line: (place.matched.line != place.start.line).then_some(place.matched.line),
            place: weak_place,
            decode: core.decoded.as_ref().map(|(_, steps)| steps.clone()).unwrap_or_default(),
            matched: core.matched.as_ref().map(|text| String::from_utf8_lossy(text.expose()).into_owned()),
            ..at
        };
        Sighting {
            rule: core.rule,
            canonical: core.canonical.clone(),
            secret: core.secret.clone(),
            decoded: core.decoded.as_ref().map(|(value, _)| value.clone()),
            fingerprint: core.fingerprint,
            confidence: core.confidence,
            evidence: core.evidence.clone(),
            companions: Vec::new(),
            occurrence,
            suppression,
            is_added: true,
            exposure: Exposure::Worktree,
            seen: Vec::new(),
        }
    }

    /// A rule's own allowlists.
    pub(super) fn own_allowlists(&self, rule: usize) -> &[Compiled] {
        self.rules[rule].allowlists.get_or_init(|| {
            compile_all(&self.detector.rule(rule).allowlists)
                .expect("the tests compile every built-in allowlist")
        })
    }

    /// Which allowlist says that a match does not count. What the secret manager knows is hidden by the user's own lists only.
    fn listed(&self, core: &Core, site: Site<'_>) -> Option<Suppression> {
        let (own, global) = (&core.own, &core.global);
        match core.known {
            Some(_) if !self.policy.is_trusted => None,
            Some(_) => self.allowed(core.rule, (&[], global), site),
            None => self.allowed(core.rule, (own, global), site),
        }
    }

    /// Which allowlist holds for a place; `own` and `global` are what the lists say of the content.
    fn allowed(
        &self,
        index: usize,
        (own, global): (&[Look], &[Look]),
        site: Site<'_>,
    ) -> Option<Suppression> {
        let rule = self.detector.rule(index).id.as_str();
        let in_repository = &*self.policy.in_repository(site.path);
        let listed = allowlist::Site { rule, path: site.path, in_repository, commit: site.commit };
        let allows = |lists: &[Compiled], looks: &[Look]| {
            lists.iter().zip(looks).any(|(list, look)| list.allows(look, listed))
        };
        if allows(self.own_allowlists(index), own) {
            Some(Suppression::RuleAllowlist)
        } else {
            allows(&self.global, global).then_some(Suppression::GlobalAllowlist)
        }
    }

    /// Whether the place, or the secret, was accepted by ignore file or baseline.
    fn accepted(&self, index: usize, site: Site<'_>, accepted: &Accepted<'_>) -> Option<Suppression> {
        let policy = &self.policy;
        let rule = self.detector.rule(index).id.as_str();
        let in_repository = &*policy.in_repository(site.path);
        let ignores = |line: &u64| policy.ignore_file.accepts(site.commit, in_repository, rule, *line);
        if accepted.lines.iter().any(ignores) {
            return Some(Suppression::IgnoreFile);
        }
        let baseline = &policy.baseline;
        let is_accepted = accepted.fingerprint.is_some_and(|print| baseline.accepts(&print, policy.today))
            || accepted
                .lines
                .iter()
                .any(|line| baseline.accepts_gitleaks(accepted.canonical, (rule, in_repository, *line)));
        is_accepted.then_some(Suppression::Baseline)
    }

    /// The file itself is the finding; its path stands for it.
    fn of_path(&self, index: usize, rule: &Rule, site: Site<'_>) -> Sighting {
        let path = site.path;
        let in_repository = self.policy.in_repository(path);
        let subject = Subject { secret: path.as_bytes(), matched: path.as_bytes(), lines: &[] };
        let looks = |lists: &[Compiled]| lists.iter().map(|list| list.look(subject)).collect::<Vec<_>>();
        let (own, global) = (looks(self.own_allowlists(index)), looks(&self.global));
        let place = Fingerprint::of_place(&in_repository, &LineDigest::of(b""));
        let canonical = canonical_path(path);
        let accepted = Accepted { fingerprint: Some(place), canonical: &canonical, lines: [1, 1] };
        let start = Position { line: 1, column: 1 };
        Sighting {
            rule: index,
            secret: Secret::new(Vec::new()),
            decoded: None,
            fingerprint: None,
            confidence: belief::base_confidence(rule),
            evidence: vec![Evidence::Format { rule: rule.id.clone() }],
            companions: Vec::new(),
            occurrence: Occurrence {
                place: Some(place),
                ..Occurrence::of_file(path.to_owned(), start, start, Span::new(0, 0))
            },
            suppression: self
                .allowed(index, (&own, &global), site)
                .or_else(|| self.accepted(index, site, &accepted)),
            canonical,
            is_added: true,
            exposure: Exposure::Worktree,
            seen: Vec::new(),
        }
    }
}

/// What makes two versions of a file that is a secret one secret: its path.
pub fn canonical_path(path: &str) -> Secret {
    Secret::new(format!("path:{path}"))
}

/// What baselines and ignore files know a match by.
struct Accepted<'a> {
    fingerprint: Option<Fingerprint>,
    canonical: &'a Secret,
    /// Where the match starts, which is what gitleaks counts from, and where the secret does.
    lines: [u64; 2],
}

fn compile_all(lists: &[Allowlist]) -> Result<Vec<Compiled>, regex::Error> {
    lists.iter().map(Compiled::new).collect()
}
