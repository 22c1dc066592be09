//! Secrets that stand encoded, and in archives: where they are reported, and what is said of what was not opened.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::Value;

use crate::{
    harness::{Project, text},
    secrets::{in_base64, password, token, utf16},
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn tar(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder.append_data(&mut header, name, *bytes).expect("memory takes it");
    }
    builder.into_inner().expect("memory takes it")
}

fn line(seed: u64) -> String {
    format!("value = \"{}\"\n", token("github-pat", seed))
}

fn encodings(finding: &Value) -> Vec<String> {
    let evidence = finding["evidence"].as_array().expect("a list");
    let encoded = evidence.iter().find(|one| one["kind"] == "encoded");
    encoded.map(|one| one["by"].as_array().expect("a list").iter().map(text).collect()).unwrap_or_default()
}

#[test]
fn an_encoded_secret_is_the_same_as_the_raw_one_and_has_the_place_of_its_run() {
    let project = Project::new();
    let run = in_base64(&format!("the value is {} and that is all", token("github-pat", 1)));
    project.file("raw.txt", line(1)).file("x.yaml", format!("a: 1\ndata: {run}\n"));
    let outcome = project.scan(&["--show-secrets"]).ends(1);
    assert_eq!(outcome.findings().len(), 1);
    assert_eq!(outcome.places(), ["raw.txt:1:10", "x.yaml:2:7"]);
    let alone = project.scan(&["x.yaml", "--show-secrets"]).ends(1);
    let finding = &alone.findings()[0];
    assert_eq!(finding["fingerprint"], outcome.fingerprint().as_str());
    assert_eq!(text(&finding["secret"]["value"]), run);
    assert_eq!(text(&finding["secret"]["decoded"]), token("github-pat", 1));
    assert_eq!(encodings(finding), ["base64"]);
    let shown = project.hekate(&["scan", "x.yaml"]).ends(1).stdout;
    assert!(shown.contains("encoded as base64"), "{shown}");
    assert!(!shown.contains(&run[..40]), "the excerpt hides it");
}

#[test]
fn all_secrets_of_one_run_are_told() {
    let project = Project::new();
    let config: String = (0..5).map(line).collect();
    project.file("run", in_base64(&config)).file("hex", hex(&config));
    assert_eq!(project.scan(&["run"]).ends(1).findings().len(), 5);
    assert_eq!(project.scan(&["hex"]).ends(1).findings().len(), 5);
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_command_in_utf_16_and_base64_is_read() {
    let project = Project::new();
    let command = utf16(&format!("$env:GH = '{}'", token("github-pat", 2)), false);
    let encoded = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(command)
    };
    project.file("run.bat", format!("powershell.exe -EncodedCommand {encoded}\r\n"));
    assert_eq!(encodings(&project.scan(&[]).ends(1).findings()[0]), ["base64", "utf16"]);
}

#[test]
fn a_password_in_the_manifest_of_a_secret_is_what_it_decodes_to() {
    let project = Project::new();
    let value = password(5, 20);
    project.file("secret.yaml", format!("kind: Secret\ndata:\n  password: {}\n", in_base64(&value)));
    let finding = project.scan(&["--show-secrets"]).ends(1).findings()[0].clone();
    assert_eq!(text(&finding["secret"]["decoded"]), value);
    project
        .file("secret.yaml", format!("kind: Secret\ndata:\n  password: {}\n", in_base64("changeme-please")));
    project.scan(&[]).ends(0);
}

#[test]
fn what_is_accepted_raw_is_accepted_encoded() {
    let project = Project::new();
    project.git_init().file("a", line(3));
    project.hekate(&["baseline", "write", "--reason", "a test"]).ends(0);
    project.file("b", in_base64(&format!("and here it is once more: {}", line(3))));
    project.scan(&[]).ends(0);
}

#[test]
fn entries_have_paths_behind_that_of_their_archive() {
    let project = Project::new();
    let inner = gzip(&tar(&[("deep/b.env", line(2).as_bytes())]));
    project.file(
        "lib/a.tar",
        tar(&[("conf/a.env", format!("# one\n{}", line(1)).as_bytes()), ("in.bin", &inner)]),
    );
    project.file("log.gz", gzip(line(4).as_bytes()));
    let outcome = project.scan(&[]).ends(1);
    let expected = ["lib/a.tar!conf/a.env:2:10", "lib/a.tar!in.bin!deep/b.env:1:10", "log.gz!content:1:10"];
    assert_eq!(outcome.places(), expected);
    assert_eq!(outcome.gaps(), [""; 0]);
    // A tar holds its files as they are: those are found all the same.
    let unopened = project.scan(&["--no-archives"]).ends(1).paths();
    assert!(unopened.contains(&"lib/a.tar".to_owned()) && unopened.iter().all(|path| !path.contains('!')));
    project.file("hekate.toml", "[scan]\narchives = false\n").git_init();
    assert_eq!(project.scan(&[]).paths(), unopened);
}

#[test]
fn archives_are_opened_in_the_index_and_on_standard_input() {
    let project = Project::new();
    let archive = gzip(&tar(&[("a.env", line(1).as_bytes())]));
    project.git_init().file("a.tgz", &archive);
    project.git(&["add", "."]);
    assert_eq!(project.staged(&[]).ends(1).paths(), ["a.tgz!a.env"]);
    let piped = project.hekate_with(&archive, &[], &["scan", "--format", "json", "-"]).ends(1);
    assert!(piped.paths()[0].ends_with("!a.env"), "{:?}", piped.paths());
}

#[test]
fn what_was_not_opened_is_told() {
    let project = Project::new();
    let archive = gzip(&tar(&[("a.env", line(1).as_bytes()), ("b", &[7; 9000])]));
    project.file("cut.tgz", &archive[..archive.len() - 12]);
    let outcome = project.scan(&[]).ends(1);
    assert_eq!(outcome.paths(), ["cut.tgz!a.env"]);
    assert_eq!(outcome.gaps().len(), 1, "{:?}", outcome.gaps());
    let bomb = (0..6).fold(vec![0; 1 << 20], |bytes, _| bytes).repeat(40);
    project.file("cut.tgz", gzip(&bomb));
    assert_eq!(project.scan(&[]).ends(3).gaps(), ["cut.tgz!content: cap"]);
}

#[test]
fn engines_of_history_agree_on_what_is_encoded_and_in_archives() {
    let project = Project::new();
    project.git_init();
    let filler: String = (0..400).map(|at| format!("line {at} of a file that stays\n")).collect();
    for version in 0..6_u64 {
        let words = format!("version {version} of it: {}", line(version / 2));
        let body = format!("{filler}data: {}\n{filler}u={}\n", in_base64(&words), hex(&words));
        project.file("conf.yaml", body.replacen("stays", "goes", version as usize));
        project.file("a.tgz", gzip(&tar(&[("in/a.env", words.as_bytes()), ("n", &[version as u8])])));
        project
            .file("b.tar", tar(&[("in/b.env", line(10 + version / 3).as_bytes()), ("n", &[version as u8])]));
        project.commit_all();
    }
    project.git(&["gc", "--quiet"]);
    let history =
        |args: &[&str]| project.hekate(&[&["history", ".", "--format", "json"], args].concat()).ends(1);
    let delta = history(&["--no-cache"]);
    assert_eq!(history(&["--engine", "plain"]).stdout, delta.stdout);
    assert_eq!(history(&["--engine", "delta"]).stdout, delta.stdout, "the cache is written");
    assert_eq!(history(&["--engine", "delta"]).stdout, delta.stdout, "the cache is read");
    let mut paths = delta.paths();
    paths.dedup();
    assert_eq!(paths, ["a.tgz!in/a.env", "b.tar!in/b.env", "conf.yaml"]);
    let ranged = history(&["--range", "HEAD~5..HEAD"]);
    assert_eq!(ranged.paths().iter().filter(|path| path.contains('!')).count(), 3);
}
