//! Messages to people, and who may be told what by trusted config.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use hekate::{
    config::{ConfigError, Trusted},
    model::Verdict,
    net::{AddressPolicy, DriverOptions},
    respond::{
        Program, RespondOptions,
        notify::{Channel, Message, Notifier, Way},
    },
};
use serde_json::Value;

/// A webhook on this machine: it keeps what it was sent, and answers alike.
struct Hook {
    port: u16,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Hook {
    fn answering(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let port = listener.local_addr().expect("it listens").port();
        let seen: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
        let kept = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("accept a connection");
                let (head, length) = read_head(&mut stream);
                let mut body = vec![0; length];
                stream.read_exact(&mut body).expect("read the body");
                kept.lock().expect("nobody panicked").push((head, String::from_utf8(body).expect("text")));
                let answer =
                    format!("HTTP/1.1 {status} Said\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
                stream.write_all(answer.as_bytes()).expect("answer");
            }
        });
        Self { port, seen }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/services/{}?a=1", self.port, "w0rd".repeat(4))
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().expect("nobody panicked").clone()
    }
}

/// The head of a request, in lower case, and how long its body is.
fn read_head(stream: &mut impl Read) -> (String, usize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).expect("read the head");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text").to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).expect("its length");
    (head.clone(), length.parse().expect("a number"))
}

fn channel(name: &str, way: Way) -> Channel {
    Channel { name: name.to_owned(), way }
}

fn notifier(channels: &[Channel], variables: &[(&str, String)]) -> Notifier {
    let variables: BTreeMap<&str, &String> = variables.iter().map(|(name, value)| (*name, value)).collect();
    let network =
        DriverOptions { addresses: AddressPolicy::allowing(["127.0.0.1"]), ..DriverOptions::default() };
    Notifier::new(channels, network, |name| variables.get(name).map(|value| (*value).clone()))
}

fn message() -> Message {
    Message::new("INC-7", "contained")
        .about("staging", Some("/infrastructure/POSTGRES_PASSWORD"))
        .line("role kosmos cannot log in until the new password is in force")
        .at("2026-11-26T20:43:49Z".parse().expect("a time"))
}

#[test]
fn each_service_is_told_in_its_own_form() {
    let hook = Hook::answering(200);
    let url = |name: &str| name.to_owned();
    let channels = [
        channel("chat", Way::Slack { url_env: url("HEKATE_A") }),
        channel("cards", Way::Teams { url_env: url("HEKATE_A") }),
        channel("own", Way::Webhook { url_env: url("HEKATE_A"), secret_env: Some(url("HEKATE_S")) }),
    ];
    let secret = "s".repeat(20);
    let notifier = notifier(&channels, &[("HEKATE_A", hook.url()), ("HEKATE_S", secret.clone())]);
    for channel in ["chat", "cards", "own"] {
        notifier.must_tell(channel, &message()).unwrap_or_else(|error| panic!("{channel}: {error}"));
    }
    let seen = hook.seen();
    let bodies: Vec<Value> = seen.iter().map(|(_, body)| serde_json::from_str(body).expect("JSON")).collect();
    assert!(
        seen.iter().all(|(head, _)| head.starts_with("post /services/w0rdw0rdw0rdw0rd?a=1 http/1.1\r\n"))
    );
    assert!(seen.iter().all(|(head, _)| head.contains("content-type: application/json\r\n")));
    assert!(
        bodies[0]["text"]
            .as_str()
            .expect("text")
            .starts_with("*hekate: incident INC-7 is contained*\nstaging:/infra")
    );
    assert_eq!(bodies[1]["attachments"][0]["content"]["type"], "AdaptiveCard");
    assert_eq!((&bodies[2]["incident"], &bodies[2]["state"]), (&"INC-7".into(), &"contained".into()));
    assert_eq!((&bodies[2]["at"], &bodies[2]["audit"]), (&"2026-11-26T20:43:49Z".into(), &Value::Null));
    let signature =
        seen[2].0.lines().find_map(|line| line.strip_prefix("x-hekate-signature: ")).expect("signed");
    let (time, digest) = signature.strip_prefix("t=").and_then(|rest| rest.split_once(';')).expect("t=…;…");
    assert_eq!(digest, hmac(&secret, &format!("{time}.{}", seen[2].1)));
    assert!(!seen[0].0.contains("signature") && !seen[1].0.contains("signature"));
}

/// HMAC-SHA-256 as another program has it.
fn hmac(key: &str, text: &str) -> String {
    let folder = tempfile::tempdir().expect("make a folder");
    let file = folder.path().join("text");
    fs::write(&file, text).expect("write it");
    let mut openssl = std::process::Command::new("openssl");
    let output = openssl.args(["dgst", "-sha256", "-hmac", key]).arg(&file).output().expect("run openssl");
    let output = String::from_utf8(output.stdout).expect("text");
    output.trim().rsplit(' ').next().expect("a digest").to_owned()
}

#[test]
fn a_channel_that_fails_is_told_of_without_its_address_and_keeps_no_other_from_being_told() {
    let (bad, good) = (Hook::answering(404), Hook::answering(202));
    let channels = [
        channel("bad", Way::Slack { url_env: "HEKATE_BAD".into() }),
        channel("far", Way::Slack { url_env: "HEKATE_FAR".into() }),
        channel("good", Way::Teams { url_env: "HEKATE_GOOD".into() }),
    ];
    let far = format!("http://example.com/{}", "w0rd".repeat(4));
    let notifier =
        notifier(&channels, &[("HEKATE_BAD", bad.url()), ("HEKATE_FAR", far), ("HEKATE_GOOD", good.url())]);
    let told: Vec<String> = notifier
        .tell(&message())
        .into_iter()
        .map(|(name, result)| {
            format!("{name}: {}", result.map_or_else(|error| error.to_string(), |()| "told".into()))
        })
        .collect();
    assert_eq!(told[0], "bad: 127.0.0.1 answered 404");
    assert!(told[1].contains("HEKATE_FAR holds an address without TLS"), "{told:?}");
    assert_eq!(told[2], "good: told");
    assert!(!told.concat().contains("w0rd"));
    assert!(notifier.must_tell("bad", &message()).is_err());
    // Nothing is sent twice by itself: whoever was told may not have said so.
    assert_eq!((bad.seen().len(), good.seen().len()), (2, 1));
}

#[cfg(unix)]
#[test]
fn a_command_reads_the_message_and_sees_nothing_of_hekates_own_variables() {
    let folder = tempfile::tempdir().expect("make a folder");
    let (seen, env) = (folder.path().join("seen"), folder.path().join("env"));
    let script = format!("cat > '{}'; env > '{}'", seen.display(), env.display());
    let argv = ["/bin/sh", "-c", &script].map(str::to_owned).to_vec();
    let program = Program { name: "page".into(), argv, timeout: Duration::from_secs(30) };
    let notifier = notifier(&[channel("page", Way::Command(program))], &[]);
    notifier.must_tell("page", &message()).expect("it is told");
    let json: Value = serde_json::from_slice(&fs::read(seen).expect("it read it")).expect("JSON");
    assert_eq!(json["secret"], "/infrastructure/POSTGRES_PASSWORD");
    let env = fs::read_to_string(env).expect("it ran");
    assert!(env.lines().all(|line| !line.starts_with("HEKATE_")), "{env}");
}

#[test]
fn a_message_is_the_same_while_incident_and_state_are() {
    assert_eq!(message().key(), message().line("more").at(jiff_epoch()).key());
    assert_ne!(message().key(), Message::new("INC-7", "rotated").key());
    assert_ne!(message().key(), Message::new("INC-8", "contained").key());
}

fn jiff_epoch() -> jiff::Timestamp {
    jiff::Timestamp::UNIX_EPOCH
}

const WHOLE: &str = r#"
[respond]
role = "platform-engineers"
max-changes = 7
state = "state"
kubernetes-context = "kosmos"
rollout-timeout = 120
[respond.auto]
environments = ["staging"]
paths = ["/infrastructure/*"]
verdicts = ["known"]
rules = ["known-*"]
max-changes = 3
incident = "AUTO"
reason = "found in a scan"
tell-first = "ops"
[respond.notify.ops]
type = "slack"
url-env = "HEKATE_SLACK_URL"
[respond.notify.own]
type = "webhook"
url-env = "HEKATE_HOOK_URL"
secret-env = "HEKATE_HOOK_SECRET"
[respond.notify.page]
type = "command"
program = ["/usr/local/bin/page-me", "--now"]
timeout = 5
[respond.commands.rotate-thing]
program = ["/usr/local/bin/rotate-thing"]
"#;

fn options(text: &str) -> Result<(RespondOptions, Option<PathBuf>), ConfigError> {
    let folder = tempfile::tempdir().expect("make a folder");
    let path = folder.path().join("own.toml");
    fs::write(&path, text).expect("write it");
    let trusted = Trusted::load(Some(&path))?;
    let state = trusted
        .respond
        .state
        .as_ref()
        .map(|state| state.strip_prefix(folder.path()).expect("below").to_owned());
    Ok((trusted.respond_options()?, state))
}

#[test]
fn trusted_config_says_what_may_be_done_and_who_is_told() {
    let (options, state) = options(WHOLE).expect("a right config");
    assert_eq!(options.role.as_deref(), Some("platform-engineers"));
    assert_eq!((options.max_changes, options.rollout_timeout), (7, Duration::from_secs(120)));
    assert_eq!((options.kubernetes_context.as_deref(), state), (Some("kosmos"), Some("state".into())));
    let auto = options.auto.expect("it is there");
    assert_eq!((auto.max_changes, auto.incident.as_str(), auto.tell_first.as_str()), (3, "AUTO", "ops"));
    let path = "/infrastructure/POSTGRES_PASSWORD";
    assert_eq!(auto.allows("staging", path, &Verdict::Known, "known-value"), Ok(()));
    assert!(auto.allows("production", path, &Verdict::Known, "known-value").is_err());
    assert!(auto.allows("staging", path, &Verdict::Active, "known-value").is_err());
    let names: Vec<&str> = options.channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["ops", "own", "page"]);
    assert_eq!(options.channels[0].way, Way::Slack { url_env: "HEKATE_SLACK_URL".into() });
    let page = Program {
        name: "page".into(),
        argv: vec!["/usr/local/bin/page-me".into(), "--now".into()],
        timeout: Duration::from_secs(5),
    };
    assert_eq!(options.channels[2].way, Way::Command(page));
    assert_eq!(
        (options.commands[0].name.as_str(), options.commands[0].timeout.as_secs()),
        ("rotate-thing", 60)
    );
}

#[test]
fn with_nothing_said_nothing_is_done_without_a_person() {
    let (options, state) = options("[respond]\n").expect("a right config");
    assert_eq!((options, state), (RespondOptions::default(), None));
    assert_eq!(RespondOptions::default().auto, None);
    let text = WHOLE.replace("verdicts = [\"known\"]\n", "").replace("rules = [\"known-*\"]\n", "");
    let auto = self::options(&text).expect("a right config").0.auto.expect("it is there");
    assert_eq!(auto.allows("staging", "/infrastructure/A", &Verdict::Restricted, "any-rule"), Ok(()));
    assert!(auto.allows("staging", "/infrastructure/A", &Verdict::Retired, "any-rule").is_err());
}

#[test]
fn what_is_wrong_in_it_is_said_with_what_would_be_right() {
    for (from, to, part) in [
        ("environments = [\"staging\"]", "", "missing field `environments`"),
        ("environments = [\"staging\"]", "environments = []", "auto: environments: name at least one"),
        (
            "paths = [\"/infrastructure/*\"]",
            "paths = [\"infrastructure\"]",
            "auto: paths, `infrastructure`: a path starts",
        ),
        ("[\"known\"]", "[\"retired\"]", "auto: verdicts, `retired`: one of known, active and restricted"),
        ("rules = [\"known-*\"]", "rules = []", "auto: rules: name at least one"),
        ("max-changes = 3", "max-changes = 0", "auto: max-changes: it is a number from 1"),
        ("incident = \"AUTO\"", "incident = \" \"", "auto: incident: write something"),
        ("reason = \"found in a scan\"", "", "missing field `reason`"),
        ("tell-first = \"ops\"", "tell-first = \"opps\"", "did you mean `ops`?"),
        ("tell-first = \"ops\"", "tell-firs = \"ops\"", "did you mean `tell-first`?"),
        (
            "type = \"slack\"",
            "type = \"irc\"",
            "notify.ops: type is one of slack, teams, webhook and command",
        ),
        (
            "url-env = \"HEKATE_SLACK_URL\"",
            "url-env = \"https://hooks.example.com/w0rd\"",
            "notify.ops: url-env: it is the name",
        ),
        ("url-env = \"HEKATE_SLACK_URL\"", "url-env = \"HEKATE_KEY\"", "notify.ops: url-env: it is the name"),
        ("url-env = \"HEKATE_SLACK_URL\"", "", "notify.ops: url-env is missing"),
        (
            "type = \"webhook\"",
            "type = \"teams\"",
            "notify.own: secret-env is nothing that a channel of type teams has",
        ),
        (
            "[\"/usr/local/bin/page-me\", \"--now\"]",
            "[\"page-me\"]",
            "notify.page: program: write [\"/the/whole/path\"",
        ),
        ("timeout = 5", "timeout = 0", "notify.page: timeout: it is a number of seconds from 1 to 3600"),
        ("timeout = 5", "secret-env = \"HEKATE_X\"", "notify.page: url-env and secret-env are nothing"),
        (
            "[respond.commands.rotate-thing]",
            "[respond.commands.\"Rotate it\"]",
            "commands.Rotate it: a name is of a-z",
        ),
        ("rollout-timeout = 120", "rollout-timeout = 0", "rollout-timeout: it is a number of seconds"),
        ("max-changes = 7", "max-change = 7", "did you mean `max-changes`?"),
        ("role = \"platform-engineers\"", "role = \"\"", "role: write something"),
    ] {
        let text = WHOLE.replacen(from, to, 1);
        assert_ne!(text, WHOLE, "{from}");
        let error = options(&text).expect_err(to).to_string();
        assert!(error.contains(part), "{to}: {error}");
        assert!(!error.contains("w0rd"), "{error}");
    }
}
