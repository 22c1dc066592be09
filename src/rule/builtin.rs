//! The packs of `rules/`, compiled in by `build.rs`.

use super::{Programs, Rule, Templates};

static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static PLAN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plan.bin"));
/// Where each begins, as 32 bits each, and where the last ends; then they themselves.
static PROGRAMS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/programs.bin"));
static TEMPLATES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/templates.bin"));

/// The built-in rules, by id, without their templates.
pub fn builtin() -> Vec<Rule> {
    postcard::from_bytes(RULES).expect("build.rs wrote it with these very types")
}

/// The prefilter plan of exactly these rules, in serialised form: laying it out takes longer than a small scan.
pub fn builtin_plan() -> &'static [u8] {
    PLAN
}

/// The programs of a built-in pattern, by the number that it has.
pub fn builtin_programs(number: u32) -> Programs {
    let place = |at: usize| {
        let bytes = PROGRAMS[4 * at..][..4].try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    };
    let at = number as usize;
    postcard::from_bytes(&PROGRAMS[place(at)..place(at + 1)])
        .expect("build.rs wrote it with these very types")
}

/// The built-in rules with their templates.
pub fn builtin_with_templates() -> Vec<Rule> {
    let templates: Vec<Templates> =
        postcard::from_bytes(TEMPLATES).expect("build.rs wrote it with these very types");
    let mut rules = builtin();
    for (rule, templates) in rules.iter_mut().zip(templates) {
        rule.templates = templates;
    }
    rules
}
