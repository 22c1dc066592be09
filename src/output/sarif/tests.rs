//! What a SARIF log looks like, held against the standard's own schema.

use serde_json::Value;

use crate::output::{Format, sample};

use super::*;

fn log(report: &Report) -> Value {
    serde_json::from_str(&sample::text(report, Format::Sarif)).unwrap()
}

#[test]
fn logs_are_as_the_standard_says() {
    let standard = serde_json::from_str(include_str!("../../../testdata/sarif-2.1.0.schema.json")).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&standard).unwrap();
    let mut many = sample::report();
    many.coverage.gaps = vec![many.coverage.gaps[1].clone(); 101];
    let history = sample::history();
    for report in
        [sample::clean(), sample::report(), history, sample::with_secrets(), sample::hostile(), many]
    {
        let errors: Vec<_> = validator.iter_errors(&log(&report)).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn run_says_what_was_scanned_and_what_was_not() {
    let mut log = log(&sample::report());
    assert!(log["$schema"].is_string());
    let mut run = log["runs"][0].take();
    run["results"] = Value::Null;
    run["tool"] = Value::Null;
    insta::assert_snapshot!(format!("{run:#}"), @r#"
    {
      "automationDetails": {
        "id": "hekate/worktree/"
      },
      "columnKind": "unicodeCodePoints",
      "invocations": [
        {
          "executionSuccessful": false,
          "toolExecutionNotifications": [
            {
              "level": "error",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "var/secret.db",
                      "uriBaseId": "%SRCROOT%"
                    }
                  }
                }
              ],
              "message": {
                "text": "not, or not wholly, scanned: var/secret.db: unreadable (Permission denied)"
              }
            },
            {
              "level": "note",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "vendor/lib",
                      "uriBaseId": "%SRCROOT%"
                    }
                  }
                }
              ],
              "message": {
                "text": "not, or not wholly, scanned: vendor/lib: symbolic link, not followed"
              }
            }
          ]
        }
      ],
      "results": null,
      "tool": null,
      "versionControlProvenance": [
        {
          "branch": "main",
          "repositoryUri": "https://github.com/example/app.git",
          "revisionId": "0123456789abcdef0123456789abcdef01234567"
        }
      ]
    }
    "#);
}

#[test]
fn rule_says_what_it_finds_and_what_to_do() {
    let run = &log(&sample::report())["runs"][0];
    assert_eq!(run["tool"]["driver"]["name"], "hekate");
    insta::assert_snapshot!(format!("{:#}", run["tool"]["driver"]["rules"][0]), @r#"
    {
      "defaultConfiguration": {
        "level": "error"
      },
      "fullDescription": {
        "text": "GitHub personal access token (user-credential) in clear text, where everyone who can read the file can use it."
      },
      "help": {
        "markdown": "Revoke or rotate the secret first: a secret that was shared stays leaked when its line is gone. Then remove it, and read it from a secret manager instead. To accept it, run `hekate baseline write`, or mark its line with `hekate:allow`.\n\n[Read more](https://github.com/settings/tokens)",
        "text": "Revoke or rotate the secret first: a secret that was shared stays leaked when its line is gone. Then remove it, and read it from a secret manager instead. To accept it, run `hekate baseline write`, or mark its line with `hekate:allow`. See https://github.com/settings/tokens"
      },
      "helpUri": "https://github.com/settings/tokens",
      "id": "github-pat",
      "name": "GithubPat",
      "properties": {
        "tags": [
          "security",
          "secret",
          "user-credential"
        ],
        "precision": "very-high",
        "security-severity": "9.5"
      },
      "shortDescription": {
        "text": "GitHub personal access token"
      }
    }
    "#);
}

#[test]
fn mark_on_the_line_is_a_suppression_in_source() {
    let mut report = sample::report();
    report.suppressed_findings[0].reason = Suppression::InlineMark;
    let suppressions = log(&report)["runs"][0]["results"][3]["suppressions"].take();
    assert_eq!(suppressions, json!([{ "kind": "inSource", "justification": "inline-mark" }]));
}

#[test]
fn result_says_which_secret_stands_where() {
    insta::assert_snapshot!(format!("{:#}", log(&sample::report())["runs"][0]["results"][2]), @r#"
    {
      "level": "warning",
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "src/%E6%97%A5%E6%9C%AC%201%25.py",
              "uriBaseId": "%SRCROOT%"
            },
            "region": {
              "endColumn": 60,
              "endLine": 3,
              "snippet": {
                "text": "DB_PASSWORD = \"********\"  # 本番"
              },
              "startColumn": 20,
              "startLine": 3
            }
          }
        }
      ],
      "message": {
        "text": "Password ******** at src/日本 1%.py:3:20 (likely: 3.5 bits of entropy per character; assigned to DB_PASSWORD)"
      },
      "partialFingerprints": {
        "hekateSecret/v1": "p1:7597495286ec6107547408d35e205fdd40875948ca43670ae96ba0ef62545eba"
      },
      "properties": {
        "confidence": "medium",
        "exposure": "worktree",
        "places": 1,
        "severity": "medium"
      },
      "ruleId": "generic-password",
      "ruleIndex": 2
    }
    "#);
}

#[test]
fn result_of_a_history_says_who_brought_it_in_and_where_it_still_is() {
    let result = &log(&sample::history())["runs"][0]["results"][0];
    insta::assert_snapshot!(format!("{:#}", result["locations"][0]["properties"]), @r#"
    {
      "author": "Ada Lovelace <ada@example.com>",
      "blob": "dddddddddddddddddddddddddddddddddddddddd",
      "commit": "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
      "date": "2024-03-01T00:00:00+01:00",
      "refs": [
        "HEAD",
        "refs/heads/main",
        "refs/tags/v1"
      ],
      "subject": "Deploy with a token: until somebody finds a better way to do this"
    }
    "#);
    insta::assert_snapshot!(result["message"]["text"].as_str().unwrap(), @"GitHub personal access token ghp_******** at config/app.env:12:14 and 4 more places; first in commit 2024-02-29 (aaaaaaaaaaaa); still at HEAD; branch main; tag v1 (almost certain: has the format of this type; checksum is right; 4.9 bits of entropy per character; assigned to GITHUB_TOKEN)");
    let properties = &result["properties"];
    assert_eq!(properties["lastSeen"]["commit"], "c".repeat(40));
    assert_eq!(properties["exposure"], "head");
}

#[test]
fn rules_are_listed_once_and_results_point_at_theirs() {
    let run = &log(&sample::report())["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    assert_eq!((rules.len(), results.len()), (3, 4));
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    assert_eq!(results[3]["suppressions"][0]["kind"], "external");
}

#[test]
fn places_stop_at_a_hundred_and_the_number_stays() {
    let mut report = sample::report();
    report.findings[0].occurrences = vec![report.findings[0].occurrences[0].clone(); 250];
    let result = &log(&report)["runs"][0]["results"][0];
    assert_eq!(result["locations"].as_array().unwrap().len(), 100);
    assert_eq!(result["properties"]["places"], 250);
}

#[test]
fn regions_are_never_empty_backwards_or_out_of_range() {
    let at = |line, column| Position { line, column };
    for (start, end, wanted) in [
        (at(1, 1), at(1, 1), [1, 1, 1, 2]),
        (at(5, 9), at(5, 3), [5, 9, 5, 10]),
        (at(5, 9), at(4, 30), [5, 9, 5, 30]),
        (at(5, 9), at(7, 1), [5, 9, 7, 1]),
        (at(0, 0), at(0, 0), [1, 1, 1, 2]),
        (at(1, u64::MAX), at(1, u64::MAX), [1, 2_147_483_646, 1, 2_147_483_647]),
    ] {
        let region = region(start, end);
        let found = [region.start_line, region.start_column, region.end_line, region.end_column];
        assert_eq!(found, wanted.map(Some), "{start:?} {end:?}");
    }
}

#[test]
fn message_has_no_link_of_the_contents_making() {
    let text = log(&sample::hostile())["runs"][0]["results"][0]["message"]["text"].to_string();
    assert!(text.contains(r"\\](https"), "{text}");
}
