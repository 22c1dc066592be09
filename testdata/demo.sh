#!/bin/sh
# Writes a small project with leaked secrets to try hekate on: sh testdata/demo.sh DIR
#
# Each value is made here from a fixed seed, so that this repository holds none; the tree is the same every time. No value was ever
# issued by anybody.
set -eu
folder=${1:?usage: demo.sh DIR}
state=7

# The next number of a linear congruential generator, below $1.
below() {
    state=$(((state * 1103515245 + 12345) % 2147483648))
    drawn=$(((state >> 8) % $1))
}

# `value` becomes $1 characters of the alphabet $2.
draw() {
    value=
    while [ ${#value} -lt "$1" ]; do
        below ${#2}
        value=$value$(printf %s "$2" | cut -c$((drawn + 1)))
    done
}

# GitHub's checksum: CRC-32 of the 30 characters $1, as six digits of base 62.
checksum() {
    crc=4294967295
    for code in $(printf %s "$1" | od -An -v -tu1); do
        crc=$((crc ^ code))
        for _ in 1 2 3 4 5 6 7 8; do
            crc=$(((crc >> 1) ^ (crc & 1) * 3988292384))
        done
    done
    crc=$((crc ^ 4294967295)) digits=
    while [ ${#digits} -lt 6 ]; do
        digits=$(printf %s "$alphanumeric" | cut -c$((crc % 62 + 1)))$digits
        crc=$((crc / 62))
    done
}

alphanumeric=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz
mkdir -p "$folder/deploy" "$folder/config" "$folder/src"

draw 30 "$alphanumeric"
checksum "$value"
printf '#!/bin/sh\nset -eu\nexport GITHUB_TOKEN=ghp_%s%s\ngh release create "$1"\n' "$value" "$digits" >"$folder/deploy/release.sh"

draw 22 "$alphanumeric"
printf 'DATABASE_URL=postgres://shop:%s@db.internal:5432/shop\nLOG_LEVEL=info\n' "$value" >"$folder/config/production.env"
printf 'services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_PASSWORD: %s\n' "$value" \
    >"$folder/docker-compose.yml"

draw 32 0123456789abcdef
printf 'import os\n\nAPI_KEY = os.environ["SHOP_API_KEY"]\nTEST_API_KEY = "%s"  # hekate:allow (a sandbox)\n' "$value" \
    >"$folder/src/shop.py"
