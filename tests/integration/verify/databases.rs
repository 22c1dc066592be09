//! Passwords of databases are tried at hosts of trusted config only.

use super::{Project, double::Double, trusted_name, trusting, verdict};
use crate::secrets::password;

/// Trusted config with one database.
fn trust(project: &Project, service: &str, port: u16) {
    let text = format!(
        "[verify]\ntimeout = 3\n[[verify.databases]]\ntype = \"{service}\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"off\"\n"
    );
    project.file(&trusted_name(project), text);
}

#[test]
fn a_connection_string_whose_host_was_changed_gets_no_connection() {
    let (ours, attacker) = (Double::saying(200, ""), Double::saying(200, ""));
    let value = password(1, 24);
    for (service, scheme) in
        [("postgres", "postgres"), ("mysql", "mysql"), ("redis", "redis"), ("nats", "nats")]
    {
        for host in [format!("127.0.0.1:{}", attacker.port()), format!("localhost:{}", ours.port())] {
            let project = Project::new();
            trust(&project, service, ours.port());
            project.file("app.env", format!("URL={scheme}://app:{value}@{host}/app\n"));
            let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(1);
            let verdict = verdict(&outcome);
            assert!(
                verdict.starts_with("unknown(its host is not in trusted config"),
                "{scheme} {host}: {verdict}"
            );
        }
    }
    assert_eq!((ours.seen().len(), attacker.seen().len()), (0, 0));
}

#[test]
fn a_connection_string_of_a_trusted_host_is_tried_there() {
    let (ours, value) = (Double::saying(200, ""), password(2, 24));
    let project = Project::new();
    trust(&project, "redis", ours.port());
    project.file("app.env", format!("URL=redis://:{value}@127.0.0.1:{}/0\n", ours.port()));
    let outcome = trusting(&project, &["scan", "--format", "json", "--verify"]).ends(1);
    assert_eq!(ours.seen().len(), 1, "{}", outcome.stdout);
    // It speaks HTTP, so that nothing can be told.
    assert!(verdict(&outcome).starts_with("unknown("), "{}", verdict(&outcome));
}

#[test]
fn a_password_alone_is_tried_at_the_only_database_of_its_kind() {
    let (ours, value) = (Double::saying(200, ""), password(3, 24));
    let project = Project::new();
    trust(&project, "redis", ours.port());
    project.file("app.env", format!("REDIS_PASSWORD={value}\n"));
    project.hekate(&["scan", "--output", "json:report.json"]).ends(1);
    let outcome = trusting(&project, &["verify", "report.json", "--dry-run"]).ends(0);
    let login = format!("login to redis at 127.0.0.1:{} as the default user", ours.port());
    assert!(outcome.stdout.contains(&login), "{}", outcome.stdout);
    let outcome = project.hekate(&["verify", "report.json", "--dry-run"]).ends(0);
    assert!(outcome.stdout.contains("no request: its host is not known"), "{}", outcome.stdout);
    assert_eq!(ours.seen().len(), 0);
}
