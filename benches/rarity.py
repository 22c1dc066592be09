#!/usr/bin/env python3
"""Counts how often bytes, and stretches of three and four bytes, occur in ordinary source and text.

    benches/rarity.py FOLDER... > src/rule/rarity.bin

Bytes are folded as the prefilter folds them (OR 0x20). The table is 256 bytes for single bytes, then 65,536 each for stretches of
four and of three bytes (by a 16-bit hash), each -8*log2(rate), 255 for unseen. It steers which literal is searched for and where in
it, and it tells words from random letters in values of generic rules (`surprise` in src/rule/rarity.rs): there it decides what is found.
"""
import math, os, sys

LIMIT_PER_KIND = 3_000_000
KINDS = {".rs", ".c", ".h", ".py", ".js", ".ts", ".go", ".java", ".rb", ".php", ".md", ".json", ".yaml", ".yml", ".toml", ".html", ".css", ".sh", ".txt", ".xml"}

def sample(folders):
    taken = dict.fromkeys(KINDS, 0)
    for folder in folders:
        for root, dirs, files in os.walk(folder):
            dirs.sort()
            for name in sorted(files):
                kind = os.path.splitext(name)[1].lower()
                if kind not in KINDS or taken[kind] > LIMIT_PER_KIND:
                    continue
                path = os.path.join(root, name)
                if os.path.islink(path) or os.path.getsize(path) > 400_000:
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                taken[kind] += len(data)
                yield data.translate(bytes(byte | 0x20 for byte in range(256)))
    print(taken, file=sys.stderr)

def quantise(count, total):
    return 255 if count == 0 else min(254, max(0, round(-8 * math.log2(count / total))))

def by_hash(counts):
    hashed = [0] * 65536
    for key, count in counts.items():
        hashed[(int.from_bytes(key, "little") * 0x9E3779B1 & 0xFFFFFFFF) >> 16] += count
    return hashed

def main():
    singles, windows, triples, total = [0] * 256, {}, {}, 0
    for data in sample(sys.argv[1:]):
        total += len(data)
        for byte in range(256):
            singles[byte] += data.count(byte)
        for at in range(len(data) - 3):
            key = data[at:at + 4]
            windows[key] = windows.get(key, 0) + 1
            triples[key[:3]] = triples.get(key[:3], 0) + 1
    tables = singles + by_hash(windows) + by_hash(triples)
    sys.stdout.buffer.write(bytes(quantise(count, total) for count in tables))

main()
