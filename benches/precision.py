#!/usr/bin/env python3
"""The precision run: what is reported on real source trees, where nearly nothing is a secret, by rule and by project.

    HEKATE_CORPUS=DIR benches/precision.py [--sample N --seed S --to FILE] [--rules]

DIR holds one folder for each project, checked out without its history. hekate comes from PATH or from HEKATE=; betterleaks and
kingfisher stand beside it where they are found (BETTERLEAKS=, KINGFISHER=, else PATH). Nothing contacts a provider.

Prints Markdown: for each project its lines and each tool's findings per 100,000 lines of text, then with --rules how often each rule
of hekate was the one that named a finding. A finding is a distinct value within a project, for every tool.

--sample N writes N findings of hekate, drawn with the seed, to FILE (mode 0600) to be judged one by one: project, rule, confidence, place,
and the line with the secret masked.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

TOOLS = ["hekate", "betterleaks", "kingfisher"]


def program(name):
    """Where a tool is, or None."""
    return shutil.which(os.environ.get(name.upper(), name))


def run(command, fine):
    """Standard output of a command; other exit codes end the run."""
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode not in fine:
        sys.exit(f"{command[0]}: exit {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout


def hekate(binary, project):
    """Findings of hekate."""
    return json.loads(run([binary, "scan", "--no-progress", "--format", "json", project], (0, 1, 3, 4)))["findings"]


def betterleaks(binary, project):
    """Distinct values that betterleaks reports."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "report.json")
        run([binary, "filesystem", "--no-banner", "-s", "-o", out, project], (0, 1))
        with open(out, encoding="utf-8") as file:
            found = json.load(file)["findings"] or []
    return {one["match"]["value"] for one in found}


def kingfisher(binary, project):
    """Distinct values that kingfisher reports."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "report.json")
        command = [binary, "scan", "--no-validate", "--no-update-check", "--git-history", "none"]
        run([*command, "-f", "json", "-o", out, project], (0, 200))
        with open(out, encoding="utf-8") as file:
            found = json.load(file)["findings"] or []
    return {one["finding"]["snippet"] for one in found}


def lines_of(project):
    """Lines of files that are text: those without a zero byte in their first 8,000."""
    total = 0
    for path in pathlib.Path(project).rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" not in data[:8000]:
            total += data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    return total


def rate(count, lines):
    """Per 100,000 lines."""
    return f"{count * 100_000 / max(lines, 1):.1f}"


def row(*cells):
    """A row of a Markdown table."""
    print("| " + " | ".join(str(cell) for cell in cells) + " |")


def write_sample(findings, args):
    """Some findings to be judged by a person."""
    chosen = random.Random(args.seed).sample(findings, min(args.sample, len(findings)))
    with open(os.open(args.to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        for project, finding in chosen:
            at = finding["occurrences"][0]
            excerpt = " ".join(at.get("excerpt", "").split())
            place = f"{at['path']}:{at['start']['line']}"
            file.write(f"{finding['rule']}\t{finding['confidence']}\t{project}\t{place}\t{excerpt[:240]}\n")


def main():
    """Runs all and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--to", default="sample.tsv", metavar="FILE")
    parser.add_argument("--rules", action="store_true", help="count hekate's rules, too")
    args = parser.parse_args()
    corpus = os.environ.get("HEKATE_CORPUS") or sys.exit("HEKATE_CORPUS= names no folder of source trees")
    tools = {name: found for name in TOOLS if (found := program(name))}
    if "hekate" not in tools:
        sys.exit("hekate: not found; put it into PATH or name it by HEKATE=")
    row("project", "lines", *(f"{name}, per 100,000 lines" for name in tools))
    row("---", "---:", *("---:" for _ in tools))
    totals, by_rule, everything = collections.Counter(), collections.Counter(), []
    for project in sorted(path for path in pathlib.Path(corpus).iterdir() if path.is_dir()):
        lines, counts = lines_of(project), {}
        totals["lines"] += lines
        for name, binary in tools.items():
            found = globals()[name](binary, str(project))
            counts[name] = len(found)
            totals[name] += len(found)
            if name == "hekate":
                everything += [(project.name, finding) for finding in found]
                by_rule.update(finding["rule"] for finding in found)
        row(project.name, f"{lines:,}", *(f"{counts[name]} ({rate(counts[name], lines)})" for name in tools))
        sys.stdout.flush()
    sums = (f"{totals[name]:,} ({rate(totals[name], totals['lines'])})" for name in tools)
    row("**all**", f"{totals['lines']:,}", *sums)
    if args.rules:
        print()
        row("rule", "findings", "per 100,000 lines")
        row("---", "---:", "---:")
        for rule, count in by_rule.most_common():
            row(f"`{rule}`", count, rate(count, totals["lines"]))
    if args.sample:
        write_sample(everything, args)


if __name__ == "__main__":
    main()
