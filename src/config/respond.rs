//! `[respond]` of trusted config: what may be changed, by whom, and who is told.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// `[respond]`.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct RespondSection {
    /// As whom runs act that no person started: a policy's name in the inventory.
    pub role: Option<String>,
    /// How many secrets one run changes at most.
    pub max_changes: Option<usize>,
    /// The state folder.
    pub state: Option<PathBuf>,
    /// Which context of the Kubernetes config.
    pub kubernetes_context: Option<String>,
    /// How long a rollout is waited for, in seconds.
    pub rollout_timeout: Option<u64>,
    /// What may be changed without a person; nothing without it.
    pub auto: Option<AutoSection>,
    /// Who is told, by a name of one's own.
    pub notify: BTreeMap<String, ChannelSection>,
    /// Programs that rotate what hekate does not know, by the name that the inventory has.
    pub commands: BTreeMap<String, CommandSection>,
}

/// `[respond.auto]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AutoSection {
    /// In these environments.
    pub environments: Vec<String>,
    /// Secrets of these folders and names.
    pub paths: Vec<String>,
    /// With these verdicts; all confirmed ones where it is not said.
    pub verdicts: Option<Vec<String>>,
    /// Found by these rules, ids or patterns with `*`; all where it is not said.
    pub rules: Option<Vec<String>>,
    /// So many in one run.
    pub max_changes: usize,
    /// The incident that all of it belongs to.
    pub incident: String,
    /// Why, for the record.
    pub reason: String,
    /// The channel that is told before anything is changed.
    pub tell_first: String,
}

/// `[respond.notify.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelSection {
    /// `slack`, `teams`, `webhook` or `command`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The environment variable with the webhook's address.
    pub url_env: Option<String>,
    /// The one with the secret that requests are signed with.
    pub secret_env: Option<String>,
    /// The program of a command, and its arguments.
    pub program: Option<Vec<String>>,
    /// How long it may take, in seconds.
    pub timeout: Option<u64>,
}

/// `[respond.commands.NAME]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CommandSection {
    /// The program, and its arguments.
    pub program: Vec<String>,
    /// How long it may take, in seconds.
    pub timeout: Option<u64>,
}

impl RespondSection {
    /// Takes the files that it names as relative to a folder: that of the config.
    pub(super) fn settle(&mut self, folder: &Path) {
        if let Some(file) = &mut self.state {
            *file = folder.join(&*file);
        }
    }
}

#[cfg(feature = "network")]
mod options {
    use std::{path::Path, time::Duration};

    use super::{AutoSection, ChannelSection, CommandSection, RespondSection};
    use crate::{
        config::{ConfigError, Trusted},
        model::Verdict,
        respond::{
            AutoPolicy, Program, RespondOptions,
            notify::{Channel, Way},
        },
    };

    /// What is confirmed, as [`Verdict::is_confirmed`] has it.
    const CONFIRMED: [Verdict; 3] = [Verdict::Known, Verdict::Active, Verdict::Restricted];
    /// No run changes more.
    const MOST_CHANGES: usize = 1_000;
    /// No program is given longer, in seconds.
    const LONGEST_RUN: u64 = 3_600;
    /// No rollout is waited for longer, in seconds.
    const LONGEST_ROLLOUT: u64 = 86_400;
    const RUN: Duration = Duration::from_secs(60);
    /// What variables of config and inventory begin with.
    const PREFIX: &str = "HEKATE_";
    /// Variables that are no webhook's: keys that everything hangs on.
    const RESERVED: &[&str] = &["HEKATE_KEY", "HEKATE_KEY_FILE"];

    impl Trusted {
        /// What `[respond]` says, read and checked.
        ///
        /// # Errors
        /// A value that can't be used, with where it stands and how it is written.
        pub fn respond_options(&self) -> Result<RespondOptions, ConfigError> {
            let config = self.file.clone().unwrap_or_default();
            self.respond.options().map_err(|why| ConfigError::Section { config, section: "respond", why })
        }
    }

    impl RespondSection {
        fn options(&self) -> Result<RespondOptions, String> {
            let usual = RespondOptions::default();
            let channels = self.notify.iter().map(|(name, section)| channel(name, section));
            let channels: Vec<Channel> = channels.collect::<Result<_, _>>()?;
            let auto = self.auto.as_ref().map(|section| auto(section, &channels)).transpose();
            let commands = self.commands.iter().map(|(name, section)| command(name, section));
            Ok(RespondOptions {
                role: self.role.as_deref().map(|role| filled("role", role)).transpose()?,
                max_changes: self
                    .max_changes
                    .map_or(Ok(usual.max_changes), |count| changes("max-changes", count))?,
                kubernetes_context: self.kubernetes_context.clone(),
                rollout_timeout: seconds("rollout-timeout", self.rollout_timeout, LONGEST_ROLLOUT)?
                    .unwrap_or(usual.rollout_timeout),
                auto: auto.map_err(|why| format!("auto: {why}"))?,
                commands: commands.collect::<Result<_, _>>()?,
                channels,
            })
        }
    }

    fn auto(section: &AutoSection, channels: &[Channel]) -> Result<AutoPolicy, String> {
        let filled_list = |key: &str, list: &[String]| match list {
            [] => Err(format!("{key}: name at least one")),
            list => list.iter().map(|text| filled(key, text)).collect::<Result<Vec<String>, _>>(),
        };
        let pattern =
            |text: &String| text.parse().map_err(|error| format!("paths, `{}`: {error}", shown(text)));
        let verdicts = section.verdicts.as_deref().map(|list| filled_list("verdicts", list)).transpose()?;
        let verdicts = verdicts.map(|list| list.iter().map(|word| verdict(word)).collect::<Result<_, _>>());
        let rules = section.rules.as_deref().map(|list| filled_list("rules", list)).transpose()?;
        if !channels.iter().any(|channel| channel.name == section.tell_first) {
            return Err(unknown_channel(&section.tell_first, channels));
        }
        Ok(AutoPolicy {
            environments: filled_list("environments", &section.environments)?,
            paths: filled_list("paths", &section.paths)?.iter().map(pattern).collect::<Result<_, _>>()?,
            verdicts: verdicts.transpose()?.unwrap_or_else(|| CONFIRMED.to_vec()),
            rules: rules.unwrap_or_else(|| vec!["*".to_owned()]),
            max_changes: changes("max-changes", section.max_changes)?,
            incident: filled("incident", &section.incident)?,
            reason: filled("reason", &section.reason)?,
            tell_first: section.tell_first.clone(),
        })
    }

    fn verdict(word: &str) -> Result<Verdict, String> {
        let found = CONFIRMED.into_iter().find(|verdict| verdict.to_string() == word);
        found.ok_or_else(|| format!("verdicts, `{}`: one of known, active and restricted", shown(word)))
    }

    fn unknown_channel(name: &str, channels: &[Channel]) -> String {
        let distance = |channel: &&Channel| strsim::damerau_levenshtein(&channel.name, name);
        let hint = match channels.iter().min_by_key(distance).filter(|channel| distance(channel) <= 3) {
            Some(channel) => format!("; did you mean `{}`?", channel.name),
            None => String::new(),
        };
        format!("tell-first, `{}`: there is no [respond.notify] channel of that name{hint}", shown(name))
    }

    fn channel(name: &str, section: &ChannelSection) -> Result<Channel, String> {
        let fail = |why: String| format!("notify.{}: {why}", shown(name));
        named(name).map_err(fail)?;
        let way = match section.kind.as_str() {
            "slack" => webhook(section, &[]).map(|url_env| Way::Slack { url_env }),
            "teams" => webhook(section, &[]).map(|url_env| Way::Teams { url_env }),
            "webhook" => signed_webhook(section),
            "command" => told_command(name, section).map(Way::Command),
            _ => Err("type is one of slack, teams, webhook and command".to_owned()),
        };
        Ok(Channel { name: name.to_owned(), way: way.map_err(fail)? })
    }

    /// The variable with the address; of what else a channel can have, only what is named.
    fn webhook(section: &ChannelSection, also: &[&str]) -> Result<String, String> {
        let given = [
            ("secret-env", section.secret_env.is_some()),
            ("program", section.program.is_some()),
            ("timeout", section.timeout.is_some()),
        ];
        if let Some((key, _)) = given.iter().find(|(key, is_given)| *is_given && !also.contains(key)) {
            return Err(format!("{key} is nothing that a channel of type {} has", section.kind));
        }
        let variable_name = section.url_env.as_deref();
        variable(
            "url-env",
            variable_name.ok_or("url-env is missing: the name of the variable with the address")?,
        )
    }

    fn signed_webhook(section: &ChannelSection) -> Result<Way, String> {
        let url_env = webhook(section, &["secret-env"])?;
        let secret_env =
            section.secret_env.as_deref().map(|name| variable("secret-env", name)).transpose()?;
        Ok(Way::Webhook { url_env, secret_env })
    }

    fn told_command(name: &str, section: &ChannelSection) -> Result<Program, String> {
        if section.url_env.is_some() || section.secret_env.is_some() {
            return Err("url-env and secret-env are nothing that a channel of type command has".to_owned());
        }
        let argv = section.program.as_deref().ok_or("program is missing")?;
        program(name, argv, section.timeout)
    }

    fn command(name: &str, section: &CommandSection) -> Result<Program, String> {
        let fail = |why: String| format!("commands.{}: {why}", shown(name));
        named(name).map_err(fail)?;
        program(name, &section.program, section.timeout).map_err(fail)
    }

    /// The path of a program is absolute: what a relative one leads to, the scanned tree could say.
    fn program(name: &str, argv: &[String], timeout: Option<u64>) -> Result<Program, String> {
        let is_absolute = argv.first().is_some_and(|path| Path::new(path).is_absolute());
        if !is_absolute || argv.iter().any(|word| word.contains('\0')) {
            return Err("program: write [\"/the/whole/path\", \"argument\"]".to_owned());
        }
        let timeout = seconds("timeout", timeout, LONGEST_RUN)?.unwrap_or(RUN);
        Ok(Program { name: name.to_owned(), argv: argv.to_vec(), timeout })
    }

    fn variable(key: &str, name: &str) -> Result<String, String> {
        let is_word = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let is_name = name.starts_with(PREFIX) && name.len() > PREFIX.len() && name.chars().all(is_word);
        if !is_name || RESERVED.contains(&name) {
            // What stands there by mistake may be the secret itself.
            return Err(format!(
                "{key}: it is the name of an environment variable, which begins with {PREFIX}"
            ));
        }
        Ok(name.to_owned())
    }

    /// What channels and commands are called: it stands in plans, journals and messages.
    fn named(name: &str) -> Result<(), String> {
        const LONGEST: usize = 60;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(is_plain) {
            return Err("a name is of a-z, 0-9, `-` and `_`".to_owned());
        }
        Ok(())
    }

    fn filled(key: &str, text: &str) -> Result<String, String> {
        let is_filled = !text.trim().is_empty() && !text.chars().any(char::is_control);
        is_filled
            .then(|| text.trim().to_owned())
            .ok_or_else(|| format!("{key}: write something, in one line"))
    }

    fn changes(key: &str, count: usize) -> Result<usize, String> {
        let is_right = (1..=MOST_CHANGES).contains(&count);
        is_right.then_some(count).ok_or_else(|| format!("{key}: it is a number from 1 to {MOST_CHANGES}"))
    }

    fn seconds(key: &str, number: Option<u64>, most: u64) -> Result<Option<Duration>, String> {
        match number {
            None => Ok(None),
            Some(number) if (1..=most).contains(&number) => Ok(Some(Duration::from_secs(number))),
            Some(_) => Err(format!("{key}: it is a number of seconds from 1 to {most}")),
        }
    }

    fn shown(text: &str) -> String {
        text.chars().take(80).flat_map(char::escape_debug).collect()
    }
}
