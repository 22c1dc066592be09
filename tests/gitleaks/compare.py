#!/usr/bin/env python3
"""Holds hekate against betterleaks v1 on a config with every feature.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install pybetterleaks
    /tmp/venv/bin/python tests/gitleaks/compare.py --hekate target/debug/hekate [--record]

The tree is generated in a temporary folder: no secret of it stands in the repository. What betterleaks finds is compared with what hekate finds,
as (rule, file, line, secret); what differs has to stand in differences.json with its reason. --record writes expected.json, which
the test suite holds hekate to without betterleaks (tests/integration/gitleaks.rs).
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def write_tree(folder):
    for name, text in json.loads((HERE / "tree.json").read_text()).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes("\n".join(text).encode())


def of_betterleaks(folder):
    from pybetterleaks import betterleaks_version, scan_dir

    here = os.getcwd()
    os.chdir(HERE)  # [extend] path is relative to the working directory there
    try:
        result = scan_dir(folder, config_path="config.toml", redact=False)
    finally:
        os.chdir(here)
    if result.errors:
        sys.exit(f"betterleaks: {result.errors}")
    print(f"betterleaks {betterleaks_version()}: {len(result.findings)} findings")
    return {
        (one.rule_id, os.path.relpath(one.file, folder), one.line or 1, one.secret or "") for one in result.findings
    }


def of_hekate(program, folder):
    command = [program, "scan", "--no-default-rules", "--config", HERE / "config.toml", "--format", "gitleaks"]
    run = subprocess.run([*command, "--show-secrets", "--no-ignore", "."], cwd=folder, capture_output=True, text=True)
    if run.returncode not in (0, 1):
        sys.exit(f"hekate: {run.stderr}")
    findings = json.loads(run.stdout)
    print(f"hekate: {len(findings)} findings")
    is_path = lambda one: one["EndLine"] == 1 and one["EndColumn"] == 0
    return {
        (one["RuleID"], one["File"], one["StartLine"], "" if is_path(one) else one["Secret"]) for one in findings
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hekate", default="hekate")
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.hekate) if os.sep in arguments.hekate else arguments.hekate
    with tempfile.TemporaryDirectory() as folder:
        write_tree(pathlib.Path(folder))
        theirs, ours = of_betterleaks(folder), of_hekate(program, folder)
    known = json.loads((HERE / "differences.json").read_text())
    known = {(one["only"], *one["finding"]) for one in known}
    found = {("betterleaks", *one) for one in theirs - ours} | {("hekate", *one) for one in ours - theirs}
    for one in sorted(found - known):
        print("not documented:", *one)
    for one in sorted(known - found):
        print("documented, and no longer so:", *one)
    if arguments.record:
        rows = [json.dumps(one, ensure_ascii=False) for one in sorted(theirs)]
        (HERE / "expected.json").write_text("[\n  " + ",\n  ".join(rows) + "\n]\n")
    print(f"{len(theirs & ours)} the same, {len(found)} differ")
    sys.exit(found != known)


if __name__ == "__main__":
    main()
