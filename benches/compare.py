#!/usr/bin/env python3
"""What peers report of a history, and what hekate says of each: found, suppressed, or not, and then whose doing that is.

    hekate history --no-progress --format json --show-secrets --show-suppressed --min-confidence low REPO >hekate.json
    betterleaks git --no-banner -s -o betterleaks.json REPO
    kingfisher scan --no-validate --no-update-check -f json -o kingfisher.json REPO
    benches/compare.py [--list] REPO hekate.json betterleaks.json kingfisher.json

The reports hold secrets: make them in a temporary folder. HEKATE= names the program, else it is the one in PATH. Peers that read
`git log` end early where an object is missing, so REPO should be complete.

Each distinct value of a peer is put into the first class that fits:

    found       hekate reports this value, or at that path one that holds it or that it holds
    line        hekate reports another value on that line of that file
    low         the same two, but hekate believes it less than medium
    suppressed  the same, but an allowlist, a mark or a baseline says that it does not count
    rules       not reported, and `hekate scan` of that very version of the file does not report it either
    HISTORY     not reported, but `hekate scan` of that version of the file reports it: the history engine has lost it

With --list, values of the last two classes are printed, shortened, with peer, rule, path and commit. The exit code is 1 where any
value is lost.
"""

import argparse
import collections
import json
import os
import re
import subprocess
import sys
import tempfile

CLASSES = ["found", "line", "low", "suppressed", "rules", "HISTORY"]
Place = collections.namedtuple("Place", "rule value path commit line")


def plain(value):
    """A value without what quoting, escaping and line ends add."""
    return re.sub(r"\\+[rnt]|[\W_]", "", value)


def peer_places(path):
    with open(path, encoding="utf-8") as file:
        findings = json.load(file)["findings"]
    for one in findings:
        if "rule_id" in one:  # betterleaks
            place, commit = one["location"], one["attributes"].get("git.sha", "")
            yield Place(one["rule_id"], one["match"]["value"], place["path"], commit, place["start_line"])
        else:  # kingfisher
            at = one["finding"]
            commit = at.get("git_metadata", {}).get("commit", {}).get("id", "")
            yield Place(one["rule"]["id"], at["snippet"], at["path"], commit, at["line"])


class Report:
    """Values and places of a report of hekate, by class."""

    def __init__(self, report):
        self.values = {}
        self.by_path = collections.defaultdict(list)
        for finding in report["findings"]:
            self.add(finding, finding["occurrences"], "low" if finding["confidence"] == "low" else "found")
        for suppressed in report.get("suppressed_findings", []):
            finding = suppressed["finding"]
            self.add(finding, finding["occurrences"] + suppressed.get("occurrences", []), "suppressed")

    def add(self, finding, places, name):
        # A PEM key or a connection string may be reported by one part of it: what the rule matched counts, too.
        for value in {finding["secret"]["value"]} | {at.get("matched") or "" for at in places} - {""}:
            known = self.values.get(plain(value), name)
            self.values[plain(value)] = min(known, name, key=CLASSES.index)
            for at in places:
                lines = range(at["start"]["line"], at["end"]["line"] + 1)
                self.by_path[at["path"]].append((plain(value), lines, name))

    def class_of(self, place):
        """How the value is reported; `None` where it is not."""
        value = plain(place.value)
        classes = [self.values[value]] if value in self.values else []
        on_line = []
        for other, lines, name in self.by_path[place.path]:
            if value and other and (value in other or other in value):
                classes.append(name)
            elif place.line in lines:
                on_line.append("line" if name == "found" else name)
        return min(classes or on_line, key=CLASSES.index, default=None)


def scan_versions(repository, places):
    """The report of `hekate scan` on those versions of files, with the folders in which they stand; each by path and commit."""
    folders = {}
    with tempfile.TemporaryDirectory() as root:
        for path, commit in sorted({(place.path, place.commit) for place in places}):
            folder = folders[path, commit] = str(len(folders))
            content = subprocess.run(["git", "-C", repository, "show", f"{commit}:{path}"], capture_output=True, check=False)
            if content.returncode != 0:
                sys.exit(f"error: {commit}:{path} can't be read: {content.stderr.decode(errors='replace').strip()}")
            # Paths of a repository can't lead out of it, but they needn't be valid here.
            file = os.path.join(root, folder, *[part for part in path.split("/") if part not in ("", ".", "..")])
            os.makedirs(os.path.dirname(file))
            with open(file, "wb") as out:
                out.write(content.stdout)
        command = [os.environ.get("HEKATE", "hekate"), "scan", "--no-progress", "--no-ignore", "--format", "json"]
        command += ["--show-secrets", "--show-suppressed", "--min-confidence", "low", root]
        scanned = subprocess.run(command, capture_output=True, check=False)
        if scanned.returncode not in (0, 1):
            sys.exit(f"error: hekate scan: {scanned.stderr.decode(errors='replace').strip()}")
        return Report(json.loads(scanned.stdout)), folders


def classify(repository, history, places):
    """Each value of a peer with the class of the place that hekate knows best."""
    best = {}
    for place in places:
        found = history.class_of(place)
        rank = CLASSES.index(found) if found else len(CLASSES)
        known = best.get((place.rule, place.value))
        if known is None or rank < known[0]:
            best[place.rule, place.value] = (rank, found, place)
    unknown = [place for _, found, place in best.values() if found is None]
    scanned, folders = scan_versions(repository, unknown)
    for _, found, place in best.values():
        if found is None:
            there = place._replace(path=f"{folders[place.path, place.commit]}/{place.path}")
            found = "rules" if scanned.class_of(there) is None else "HISTORY"
        yield found, place


def shortened(value):
    return repr(value if len(value) < 8 else f"{value[:4]}…({len(value)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("repository")
    parser.add_argument("hekate")
    parser.add_argument("peers", nargs="+")
    arguments = parser.parse_args()
    with open(arguments.hekate, encoding="utf-8") as file:
        history = Report(json.load(file))
    print(f"{'peer':32} {'values':>7}", *(f"{name:>10}" for name in CLASSES))
    is_lost = False
    for peer in arguments.peers:
        classified = list(classify(arguments.repository, history, peer_places(peer)))
        counts = collections.Counter(found for found, _ in classified)
        print(f"{os.path.basename(peer):32} {len(classified):7}", *(f"{counts[name]:10}" for name in CLASSES))
        is_lost |= counts["HISTORY"] > 0
        rules = collections.Counter((found, place.rule) for found, place in classified if found not in ("found", "line"))
        for (found, rule), count in sorted(rules.items(), key=lambda one: (CLASSES.index(one[0][0]), -one[1])):
            print(f"    {found:10} {count:6}  {rule}")
        if arguments.list:
            for found, place in sorted(classified, key=lambda one: (one[0], one[1].rule, one[1].path)):
                if found in ("rules", "HISTORY"):
                    print(f"    {found:10} {place.rule} {shortened(place.value)} {place.commit[:12]}:{place.path}:{place.line}")
    sys.exit(1 if is_lost else 0)


if __name__ == "__main__":
    main()
