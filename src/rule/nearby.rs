//! Rules that know a value by a provider's word nearby: one entry of data each, all searched for by one engine.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Deserialize, Serialize};

use super::{
    Checksum, Detection, Rule, RuleError, Specificity, Templates, dialect, literal,
    load::{Context, check_id, companion},
    schema::RawCompanion,
};
use crate::model::{Category, Confidence, Severity};

/// A value whose form alone says too little, and the words that tell whose it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nearby {
    /// A regex of the whole value, with ASCII classes.
    pub value: String,
    /// Length of the shortest value, in bytes.
    pub shortest: usize,
    /// Length of the longest value, in bytes.
    pub longest: usize,
    /// A bit for each ASCII character that stands anywhere in a value.
    pub alphabet: [u64; 2],
    /// No form is documented: `value` is what most keys look like.
    pub assumed: bool,
    /// One of these stands near: lower-case letters and digits; a blank is an optional joint (`-`, `_`, `.`, blank).
    pub words: Vec<String>,
    /// They are words of ordinary text and code, and count only next to a word such as `key`, or as a host.
    pub common: bool,
    /// One of these has to stand near, too, if there are any; written like `words`.
    pub names: Vec<String>,
}

impl Nearby {
    /// The shortest value, in bytes.
    pub const SHORTEST: usize = 10;
    /// The longest value, in bytes.
    pub const LONGEST: usize = 512;
    /// What keys without a documented form look like.
    pub const ASSUMED: &str = "[0-9A-Za-z_-]{16,128}";
    /// The tag of rules whose value is assumed.
    pub const ASSUMED_TAG: &str = "assumed-format";

    /// Whether the run has joints (`_`, `-`) in it, as names have.
    pub fn has_joint(run: &[u8]) -> bool {
        run.iter().any(|byte| is_joint(*byte))
    }

    /// Whether a run of letters, digits and joints is more than a name, a date or a number:
    /// by its parts, or by its mixture.
    pub fn is_no_name(run: &[u8]) -> bool {
        const LONGER_THAN_WORDS: usize = 16;
        let has = |wanted: fn(&u8) -> bool| run.iter().any(wanted);
        let is_long = run.len() >= LONGER_THAN_WORDS;
        if is_long && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) {
            return true;
        }
        let parts = || run.split(|byte| is_joint(*byte));
        if parts().any(|part| part.len() >= LONGER_THAN_WORDS || is_random_part(part)) {
            return true;
        }
        // Dates, telephone numbers and ranges have no letters.
        let is_hexadecimal = run.iter().all(|byte| byte.is_ascii_hexdigit() || is_joint(*byte));
        let has_digit = has(u8::is_ascii_digit);
        has(u8::is_ascii_alphabetic) && (is_long && has_digit && is_hexadecimal || is_grouped(run, has_digit))
    }
}

fn is_joint(byte: u8) -> bool {
    matches!(byte, b'_' | b'-')
}

/// Whether a part goes from letters to digits and back more often than names do.
fn is_random_part(part: &[u8]) -> bool {
    const SHORTEST: usize = 10;
    let is_change = |pair: &&[u8]| pair[0].is_ascii_digit() != pair[1].is_ascii_digit();
    part.len() >= SHORTEST && part.windows(2).filter(is_change).count() >= 3
}

/// Whether it is three groups or more, as serial numbers and passwords for single applications have them: where there are digits, none but
/// the first shorter than three; where there are none, all of one length.
fn is_grouped(run: &[u8], has_digit: bool) -> bool {
    const SHORTEST: usize = 3;
    const SHORTEST_OF_LETTERS: usize = 4;
    let groups: Vec<usize> = run.split(|byte| is_joint(*byte)).map(<[u8]>::len).collect();
    let are_even = groups[0] >= SHORTEST_OF_LETTERS && groups.iter().all(|len| *len == groups[0]);
    groups.len() >= 3 && (are_even || has_digit && groups[1..].iter().all(|len| *len >= SHORTEST))
}

/// Words of which one stands in the name of most secrets.
const KEY_WORDS: &[&str] = &["key", "token", "secret", "api", "auth", "password", "credential", "access"];

/// A provider, as rule files have it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProvider {
    name: String,
    #[serde(default)]
    words: Vec<String>,
    #[serde(default)]
    common: bool,
    help: Option<String>,
    tokens: Vec<RawToken>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToken {
    id: String,
    title: String,
    value: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    confidence: Option<Confidence>,
    severity: Option<Severity>,
    category: Option<Category>,
    entropy: Option<f32>,
    checksum: Option<Checksum>,
    help: Option<String>,
    #[serde(default)]
    companions: Vec<RawCompanion>,
    #[serde(default, rename = "skipReport")]
    skip_report: bool,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    negatives: Vec<String>,
}

/// A rule for each of a provider's tokens.
pub(super) fn rules(raw: RawProvider, context: Context<'_>) -> Result<Vec<Rule>, RuleError> {
    let fail = |message: String| context.error(&raw.name, message);
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if raw.name.is_empty() || !raw.name.bytes().all(is_name) {
        return Err(fail("a provider's name is made of [a-z0-9-]".into()));
    }
    if raw.tokens.is_empty() {
        return Err(fail("the provider has no tokens".into()));
    }
    let named = if raw.words.is_empty() { vec![raw.name.clone()] } else { raw.words };
    let words: Vec<String> =
        named.iter().map(|text| word(text)).collect::<Result<_, _>>().map_err(|error| fail(error.into()))?;
    let provider = Provider { name: raw.name.clone(), words, common: raw.common, help: raw.help };
    raw.tokens.into_iter().map(|token| rule(token, &provider, context)).collect()
}

struct Provider {
    name: String,
    words: Vec<String>,
    common: bool,
    help: Option<String>,
}

fn rule(raw: RawToken, provider: &Provider, context: Context<'_>) -> Result<Rule, RuleError> {
    let fail = |message: String| context.error(&raw.id, message);
    check_id(&raw.id, context)?;
    let assumed = raw.value.is_none();
    let value = raw.value.clone().unwrap_or_else(|| Nearby::ASSUMED.to_owned());
    let hir = read_value(&value).map_err(|error| fail(format!("value: {error}")))?;
    let mut names: Vec<String> = raw
        .names
        .iter()
        .map(|text| word(text))
        .collect::<Result<_, _>>()
        .map_err(|error| fail(format!("names: {error}")))?;
    if names.is_empty() && raw.id.ends_with("-id") {
        // A name that says `id` speaks for no secret, unless that is what the rule looks for.
        names.push(last_words(&raw.id));
    }
    let entropy = raw.entropy.unwrap_or_else(|| if assumed { ASSUMED_ENTROPY } else { least_entropy(&hir) });
    let properties = hir.properties();
    let nearby = Nearby {
        value,
        shortest: properties.minimum_len().unwrap_or(Nearby::SHORTEST),
        longest: properties.maximum_len().unwrap_or(Nearby::LONGEST),
        alphabet: alphabet(&hir),
        assumed,
        words: provider.words.clone(),
        common: provider.common,
        names,
    };
    // A value with letters of its own says what it is, even without the word.
    let has_form = literal::necessary(&hir).is_some();
    let (specificity, confidence) = if has_form {
        (Specificity::Format, Confidence::High)
    } else {
        (Specificity::Provider, Confidence::Medium)
    };
    let templates = templates(&raw, &nearby, &hir, &provider.name);
    let assumed_tag = assumed.then(|| Nearby::ASSUMED_TAG.to_owned());
    Ok(Rule {
        title: raw.title,
        detection: Detection::Nearby(nearby),
        path: None,
        secret_group: None,
        entropy: Some(entropy).filter(|bits| *bits > 0.0),
        keywords: Vec::new(),
        gates: Vec::new(),
        tags: raw.tags.into_iter().chain(assumed_tag).collect(),
        severity: raw.severity.unwrap_or(Severity::High),
        confidence: Some(raw.confidence.unwrap_or(confidence)),
        category: Some(raw.category.unwrap_or(Category::ApiKey)),
        provider: Some(provider.name.clone()),
        checksum: raw.checksum,
        help: raw.help.or_else(|| provider.help.clone()),
        allowlists: Vec::new(),
        required: Vec::new(),
        companions: raw.companions.into_iter().map(companion).collect(),
        skip_report: raw.skip_report,
        rank: 0,
        specificity,
        origin: context.origin,
        programs: None,
        templates,
        verify: None,
        id: raw.id,
    })
}

/// A word as it is compared: joints are blanks.
fn word(text: &str) -> Result<String, &'static str> {
    let joined: String = text.chars().map(|c| if matches!(c, '-' | '_' | '.') { ' ' } else { c }).collect();
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let letters = joined.chars().filter(|c| is_letter(*c)).count();
    if joined.chars().any(|c| c != ' ' && !is_letter(c)) {
        return Err("a word is made of lower-case letters, digits and blanks");
    }
    if letters < 3 || joined.starts_with(' ') || joined.ends_with(' ') || joined.contains("  ") {
        return Err("a word has at least three letters, and single blanks between its parts");
    }
    Ok(joined)
}

fn last_words(id: &str) -> String {
    let mut words: Vec<&str> = id.rsplitn(3, '-').take(2).collect();
    words.reverse();
    words.join(" ")
}

fn read_value(value: &str) -> Result<Hir, String> {
    let hir = dialect::parser(false).parse(value).map_err(|error| error.to_string())?;
    let properties = hir.properties();
    let (least, most) = (properties.minimum_len().unwrap_or(0), properties.maximum_len());
    if !properties.look_set().is_empty() {
        return Err("it has an anchor or look-around; the whole value is meant anyhow".into());
    }
    if least < Nearby::SHORTEST || most.is_none_or(|most| most > Nearby::LONGEST) {
        return Err(format!("a value has {} to {} characters", Nearby::SHORTEST, Nearby::LONGEST));
    }
    let mut bytes = [false; 256];
    note_alphabet(&hir, &mut bytes);
    let is_fit = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'`' | b'\\');
    if (0..=255).any(|byte| bytes[usize::from(byte)] && !is_fit(byte)) {
        return Err("a value is made of visible ASCII characters, without quotes and backslashes".into());
    }
    Ok(hir)
}

fn alphabet(hir: &Hir) -> [u64; 2] {
    let mut bytes = [false; 256];
    note_alphabet(hir, &mut bytes);
    let half = |from: usize| (0..64).map(|bit| u64::from(bytes[from + bit]) << bit).sum();
    [half(0), half(64)]
}

/// Marks the bytes that stand anywhere in what the expression matches.
fn note_alphabet(hir: &Hir, alphabet: &mut [bool; 256]) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => literal.0.iter().for_each(|byte| alphabet[usize::from(*byte)] = true),
        HirKind::Class(class) => members(class).for_each(|byte| alphabet[usize::from(byte)] = true),
        HirKind::Repetition(repetition) => note_alphabet(&repetition.sub, alphabet),
        HirKind::Capture(capture) => note_alphabet(&capture.sub, alphabet),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().for_each(|part| note_alphabet(part, alphabet));
        }
    }
}

/// The bytes of a class; one with Unicode in it has all that are not ASCII.
fn members(class: &Class) -> Box<dyn Iterator<Item = u8> + '_> {
    match class {
        Class::Bytes(class) => Box::new(class.ranges().iter().flat_map(|range| range.start()..=range.end())),
        Class::Unicode(class) => Box::new(
            class
                .ranges()
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .map(|c| u8::try_from(c).unwrap_or(u8::MAX)),
        ),
    }
}

/// Entropy of random hexadecimal digits, bits per character.
const HEXADECIMAL: f32 = 4.0;
/// Random keys of the assumed form have more, bits per character.
const ASSUMED_ENTROPY: f32 = 3.0;

/// What nearly all random values of the pattern have more of, bits per character.
///
/// As many characters as the pattern's shortest value has, drawn from the mixture of its classes, have the lesser of the mixture's entropy
/// and the length's logarithm, less what chance takes: a quarter, of short values more. No more is asked than of hexadecimal digits, since
/// many values have these alone where their pattern allows for more.
fn least_entropy(hir: &Hir) -> f32 {
    if let HirKind::Alternation(branches) = hir.kind() {
        return branches.iter().map(least_entropy).fold(f32::MAX, f32::min);
    }
    let mut mixture = [0.0; 256];
    let length = mix(hir, 1.0, &mut mixture);
    let share = |weight: &f32| weight / length;
    let bits: f32 = mixture
        .iter()
        .filter(|weight| **weight > 0.0)
        .map(|weight| -share(weight) * share(weight).log2())
        .sum();
    let kept = match length {
        ..14.0 => 0.55,
        ..20.0 => 0.65,
        _ => 0.75,
    };
    // Two decimals are enough to read and to compare.
    (bits.min(HEXADECIMAL).min(length.log2()) * kept * 100.0).floor() / 100.0
}

/// Adds how often each byte is expected in a shortest random match; gives that match's length.
fn mix(hir: &Hir, times: f32, mixture: &mut [f32; 256]) -> f32 {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0.0,
        HirKind::Literal(literal) => {
            literal.0.iter().for_each(|byte| mixture[usize::from(*byte)] += times);
            times * literal.0.len() as f32
        }
        HirKind::Class(class) => {
            let members: Vec<u8> = members(class).collect();
            let each = times / members.len().max(1) as f32;
            members.iter().for_each(|byte| mixture[usize::from(*byte)] += each);
            times
        }
        HirKind::Repetition(repetition) => mix(&repetition.sub, times * repetition.min as f32, mixture),
        HirKind::Capture(capture) => mix(&capture.sub, times, mixture),
        HirKind::Concat(parts) => parts.iter().map(|part| mix(part, times, mixture)).sum(),
        HirKind::Alternation(parts) => {
            let each = times / parts.len() as f32;
            parts.iter().map(|part| mix(part, each, mixture)).sum()
        }
    }
}

/// The rule's templates; those that it does not give are made of its words and its id.
fn templates(raw: &RawToken, nearby: &Nearby, hir: &Hir, provider: &str) -> Templates {
    let name = example_name(raw, nearby, provider);
    let mut templates = Templates { examples: raw.examples.clone(), negatives: raw.negatives.clone() };
    if templates.examples.len() < 2 {
        templates.examples.push(format!("{}={{token}}\n", name.to_ascii_uppercase()));
        templates.examples.push(format!("  \"{name}\": \"{{token}}\",\n"));
    }
    if templates.negatives.len() < 2 {
        let upper = name.to_ascii_uppercase();
        templates.negatives.push(format!("{upper}=${{{upper}}}\n"));
        templates.negatives.push(format!("{upper}=your_{name}_here\n"));
        let properties = hir.properties();
        if properties.minimum_len() == properties.maximum_len() {
            templates.negatives.push(format!("{upper}={{token:short}}\n"));
            // A mark at a value's end may be a sentence's.
            let has_mark = b".:,;!?)]}>@"
                .iter()
                .any(|mark| nearby.alphabet[usize::from(mark >> 6)] >> (mark & 63) & 1 == 1);
            if !has_mark {
                templates.negatives.push(format!("{upper}={{token:long}}\n"));
            }
        }
    }
    templates
}

/// `airbrake_project_key`: whose it is, what it is, and that it is a secret.
fn example_name(raw: &RawToken, nearby: &Nearby, provider: &str) -> String {
    let joined = |text: &str| text.replace([' ', '-'], "_");
    let whose = joined(&nearby.words[0]);
    let kind = match nearby.names.first() {
        Some(name) => joined(name),
        None => joined(raw.id.strip_prefix(provider).unwrap_or(&raw.id).trim_start_matches('-')),
    };
    let mut name = if kind.is_empty() { whose } else { format!("{whose}_{kind}") };
    let says_key = KEY_WORDS.iter().any(|word| kind.contains(word));
    if !says_key && (nearby.names.is_empty() || nearby.common || nearby.assumed) {
        name.push_str("_key");
    }
    name
}
