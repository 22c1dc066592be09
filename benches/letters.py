#!/usr/bin/env python3
"""Learns which letters follow each other in words of source and text, and which words are common there.

    benches/letters.py FOUND_IN FOLDER...

Writes src/detect/score/letters.bin and src/detect/score/words.txt. FOLDER... are trees of source of many languages, a folder each (the
ones in use were made from some 40 open-source trees). Text is cut into words at whatever is no letter and where case changes
(`getUserName`: get, user, name). A word counts where at least FOUND_IN trees have it, so that random letters in one don't teach.

letters.bin: for each pair of letters (0: the word's edge, 1 to 26: a to z) and each letter (0: the end) the surprise at it, 27 * 27 * 27
bytes of round(16 * -log2 P), smoothed. words.txt: common words of three to fourteen letters, sorted, a line each.
"""
import collections, math, os, re, sys

KINDS = {".rs", ".c", ".h", ".py", ".js", ".ts", ".tsx", ".go", ".java", ".kt", ".cs", ".rb", ".php", ".md", ".rst", ".json", ".yaml", ".yml",
         ".toml", ".html", ".css", ".sh", ".txt", ".xml", ".properties", ".tf", ".j2", ".adoc", ".vue", ".sql", ".conf", ".tpl"}
LIMIT_PER_TREE = 12_000_000
KEPT_WORDS = 7000
# Not beside a digit: letters of hex and base64 are no words.
WORD = re.compile(rb"(?<![0-9A-Za-z])[A-Z]?[a-z]{2,}(?![0-9a-z])|(?<=[a-z])[A-Z][a-z]{2,}(?![0-9a-z])|(?<![0-9A-Za-z])[A-Z]{2,}(?![0-9A-Za-z])")

def words_of(tree):
    counts, taken = collections.Counter(), 0
    for root, dirs, files in os.walk(tree):
        dirs[:] = sorted(folder for folder in dirs if folder not in (".git", "node_modules"))
        for name in sorted(files):
            path = os.path.join(root, name)
            if os.path.splitext(name)[1].lower() not in KINDS or os.path.islink(path) or os.path.getsize(path) > 400_000:
                continue
            if taken > LIMIT_PER_TREE or name.endswith((".min.js", "lock.json", ".lock")):
                continue
            with open(path, "rb") as file:
                data = file.read()
            taken += len(data)
            counts.update(word.lower() for word in WORD.findall(data))
    return counts

def main():
    least, folders = int(sys.argv[1]), sys.argv[2:]
    trees, counts = collections.Counter(), collections.Counter()
    for folder in folders:
        for word, count in words_of(folder).items():
            if len(word) <= 20:
                trees[word] += 1
                counts[word] += min(count, 2000)
    known = {word: counts[word] for word, found_in in trees.items() if found_in >= least}
    follow = [[[0.0] * 27 for _ in range(27)] for _ in range(27)]
    pairs = [[0.0] * 27 for _ in range(27)]
    for word, count in known.items():
        weight = math.log2(1 + count)
        before, last = 0, 0
        for letter in [byte - 96 for byte in word] + [0]:
            follow[before][last][letter] += weight
            pairs[last][letter] += weight
            before, last = last, letter
    table = bytearray()
    for before in range(27):
        for last in range(27):
            total, pair_total = sum(follow[before][last]), sum(pairs[last])
            for letter in range(27):
                pair = (pairs[last][letter] + 4) / (pair_total + 108)
                rate = (follow[before][last][letter] + 40 * pair) / (total + 40)
                table.append(min(255, round(-16 * math.log2(rate))))
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src", "detect", "score")
    with open(os.path.join(here, "letters.bin"), "wb") as file:
        file.write(table)
    common = [word for word in known if 3 <= len(word) <= 14 and re.search(rb"[aeiouy]|^(?:pwd|http|html|css|sql|tls|ssl|ssh|cmd|str|src|dst|ctx|msg|psw|mgr|cfg|env|xml|txt|tmp)", word)]
    rank = sorted(common, key=lambda word: (-trees[word] * math.log2(1 + known[word]), word))
    with open(os.path.join(here, "words.txt"), "wb") as file:
        file.write(b"\n".join(sorted(rank[:KEPT_WORDS])) + b"\n")
    print(len(known), "words taught,", len(rank), "common", file=sys.stderr)

main()
