//! The same input gives the same report, byte for byte.

use crate::{
    harness::{Project, text},
    secrets::{in_base64, password, pem, token},
};

/// A tree of a few hundred files, of which every third holds something.
fn tree() -> Project {
    let project = Project::new();
    for index in 0..300_u64 {
        let path = format!("m{}/s{}/f{index}.py", index % 7, index % 11);
        let filler = format!("def f{index}(x):\n    return x + {index}\n").repeat(1 + (index % 40) as usize);
        // Some values stand in several files.
        let held = match index % 9 {
            0 => format!("token = \"{}\"\n", token("github-pat", index % 60)),
            3 => format!("smtp_password = \"{}\"\n", password(index % 50, 10 + (index % 12) as usize)),
            6 => pem(index % 45),
            7 => format!("KEY={}\n", in_base64(&pem(index % 45))),
            _ => String::new(),
        };
        project.file(&path, format!("{filler}{held}{filler}"));
    }
    project
}

#[test]
fn a_tree_gives_the_same_report_for_any_number_of_threads() {
    let project = tree();
    let one = project.scan(&["-j", "1", "--min-confidence", "low"]).ends(1);
    assert!(one.findings().len() > 50, "{}", one.findings().len());
    for jobs in ["16", "3"] {
        let many = project.scan(&["-j", jobs, "--min-confidence", "low"]).ends(1);
        assert!(many.stdout == one.stdout, "-j {jobs} differs from -j 1");
    }
    let accepted = ["baseline", "write", "--baseline"];
    for name in ["one.baseline", "two.baseline"] {
        project.hekate(&[&accepted[..], &[name]].concat()).ends(0);
    }
    assert_eq!(project.read("one.baseline"), project.read("two.baseline"));
}

const MIB: usize = 1 << 20;

/// Text of 5 MiB with a token that starts so far from each border between two of its MiB, and where the tokens are.
fn big(distances: &[isize]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = b"let value = compute(1, 2); // nothing to see\n".repeat(5 * MIB / 45 + 1);
    bytes.truncate(5 * MIB);
    let mut places = Vec::new();
    for (index, distance) in distances.iter().enumerate() {
        let start = ((1 + index) * MIB).checked_add_signed(*distance).expect("it lies in the file");
        let held = format!("\n\"{}\"\n", token("github-pat", 100 + index as u64));
        bytes[start - 2..start - 2 + held.len()].copy_from_slice(held.as_bytes());
        places.push(start);
    }
    (bytes, places)
}

#[test]
fn secrets_at_block_borders_of_a_big_file_are_all_found() {
    for distances in [[0, -1, -39, -40], [1, -20, -41, -2]] {
        let project = Project::new();
        let (bytes, places) = big(&distances);
        project.file("big.js", &bytes);
        let one = project.scan(&["-j", "1"]).ends(1);
        let mut starts: Vec<usize> =
            one.occurrences().iter().map(|place| place["span"]["start"].as_u64().unwrap() as usize).collect();
        starts.sort_unstable();
        assert_eq!(starts, places);
        assert!(project.scan(&["-j", "16"]).stdout == one.stdout);
        for (place, start) in one.occurrences().iter().zip(starts) {
            let line = bytes[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
            assert_eq!((&place["start"]["line"], &place["start"]["column"]), (&line.into(), &2.into()));
        }
        // From a pipe the same bytes are held in memory.
        let piped =
            project.hekate_with(&bytes, &[], &["scan", "-", "--stdin-path", "big.js", "--format", "json"]);
        assert_eq!(piped.json()["findings"], one.json()["findings"]);
    }
}

#[test]
fn a_report_says_nothing_of_time_threads_or_the_command_line() {
    let project = Project::new();
    project.file("a.py", format!("token = \"{}\"\n", token("github-pat", 1)));
    let plain = project.scan(&[]).ends(1);
    let other = project.scan(&["-j", "2", "--no-progress", "--color", "never", "--timings", "."]).ends(1);
    assert_eq!(plain.stdout, other.stdout);
    assert!(other.stderr.contains(" s"), "{}", other.stderr);
    assert_eq!(text(&plain.json()["schema"]), "hekate.report/1");
}
