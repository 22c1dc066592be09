//! The operator's own programs, of trusted config: what hekate does not know how to change, they do.
//!
//! A program is told what to do by environment variables and gets the value on its standard input, never on its command line. It answers by how
//! it ends: 0 is done, or yes; 1 is refused, or no; 3 is that there is nothing to do; all else leaves open what happened.

use super::{Accepts, Act, Target, Trouble, Values};
use crate::{model::Secret, respond::Program, store::SecretPath};

/// A secret that a program of the operator rotates.
pub struct Operator<'a> {
    program: &'a Program,
    path: SecretPath,
}

/// What a program is asked to do, for `HEKATE_ACTION`.
fn word(act: Act) -> &'static str {
    match act {
        Act::Check => "check",
        Act::Contain => "contain",
        Act::Release => "release",
        Act::Introduce => "introduce",
        Act::Withdraw => "withdraw",
        Act::Retire => "retire",
        Act::EndSessions => "end-sessions",
    }
}

impl<'a> Operator<'a> {
    /// The secret at this place, by this program.
    pub fn new(program: &'a Program, path: SecretPath) -> Self {
        Self { program, path }
    }

    fn variables(&self, action: &str, incident: Option<&str>) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("HEKATE_ACTION", action.to_owned()),
            ("HEKATE_SECRET", self.path.name.clone()),
            ("HEKATE_ENVIRONMENT", self.path.environment.clone()),
        ];
        variables.extend(incident.map(|incident| ("HEKATE_INCIDENT", incident.to_owned())));
        variables
    }
}

impl Target for Operator<'_> {
    fn name(&self) -> String {
        format!("program {} for {}", self.program.name, self.path)
    }

    /// Nobody knows before it is asked; so it is not relied on.
    fn overlaps(&self) -> bool {
        false
    }

    fn requests(&self, act: Act) -> Option<Vec<String>> {
        let command = self.program.argv.first().map(String::as_str).unwrap_or_default();
        let input = match act {
            Act::Check => "nothing",
            Act::Introduce => "the new value",
            _ => "the old value",
        };
        Some(vec![format!(
            "run {command} with HEKATE_ACTION={} and {input} on its standard input",
            word(act)
        )])
    }

    fn perform(&self, act: Act, values: &Values<'_>) -> Result<(), Trouble> {
        let input = match (act, values.new) {
            (Act::Check, _) => None,
            (Act::Introduce, None) => return Err(Trouble::Refused("there is no new value yet".into())),
            (Act::Introduce, new) => new,
            _ => Some(values.old),
        };
        let secrets: Vec<&Secret> = [values.old].into_iter().chain(values.new).collect();
        let variables = self.variables(word(act), Some(values.incident));
        self.program.done(self.program.run(variables, input, &secrets), word(act))
    }

    fn accepts(&self, value: &Secret) -> Accepts {
        let ended = match self.program.run(self.variables("accepts", None), Some(value), &[value]) {
            Ok(ended) => ended,
            Err(trouble) => return Accepts::Unknown(trouble.to_string()),
        };
        match ended.code() {
            Some(0) => Accepts::Yes,
            Some(1) => Accepts::No,
            Some(3) => Accepts::Unknown(format!("program {} can't tell", self.program.name)),
            _ => Accepts::Unknown(format!(
                "program {}: {}",
                self.program.name,
                ended.words(self.program.timeout)
            )),
        }
    }
}
