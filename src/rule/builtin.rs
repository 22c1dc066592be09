//! The packs of `rules/`, compiled in by `build.rs`.

use super::{Rule, Templates};

static RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
static PLAN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/plan.bin"));
static TEMPLATES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/templates.bin"));

/// The built-in rules, by id, without their templates.
pub fn builtin() -> Vec<Rule> {
    postcard::from_bytes(RULES).expect("build.rs wrote it with these very types")
}

/// The prefilter plan of exactly these rules, in serialised form: laying it out takes longer than a small scan.
pub fn builtin_plan() -> &'static [u8] {
    PLAN
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
