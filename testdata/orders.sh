#!/bin/sh
# Writes a small project with a secret of every common kind to the new folder DIR, for the tests and to try hekate on:
#
#     sh testdata/orders.sh orders && hekate scan orders
#
# Each secret is made here and now from /dev/urandom. None was ever issued, and none stands in this repository.
set -eu

if [ $# -ne 1 ] || [ -e "$1" ]; then
    echo "usage: orders.sh DIR (a folder that is not there yet)" >&2
    exit 2
fi

# random SET COUNT: so many random characters of the set.
random() { head -c 16384 /dev/urandom | LC_ALL=C tr -dc "$1" | cut -c "1-$2"; }
# base64_of COUNT: so many random bytes in one line of base64, as `openssl rand -base64` gives them.
base64_of() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
# pem KIND: the shape of a private key.
pem() {
    printf -- '-----BEGIN %s-----\n' "$1"
    base64_of 1190 | fold -w 64
    printf -- '\n-----END %s-----\n' "$1"
}

# GitHub's tokens end in the CRC-32 of the rest, in six base-62 digits.
github_token() {
    body=$(random 0-9A-Za-z 30)
    # The last eight bytes of a gzip stream are CRC-32 and length, low byte first.
    # shellcheck disable=SC2046
    set -- $(printf %s "$body" | gzip -c | tail -c 8 | od -An -tu1)
    crc=$(($1 + 256 * $2 + 65536 * $3 + 16777216 * $4))
    digits=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz
    sum=
    while [ ${#sum} -lt 6 ]; do
        at=$((crc % 62 + 1))
        sum=$(printf %s "$digits" | cut -c "$at")$sum
        crc=$((crc / 62))
    done
    printf 'ghp_%s%s' "$body" "$sum"
}

mkdir -p "$1/app" "$1/deploy" "$1/scripts"
cd "$1"

database_password=$(random 0-9A-Za-z 22)7
cache_password=$(random 0-9A-Za-z 18)4
signing_key=$(pem "RSA PRIVATE KEY" | base64 | tr -d '\n')

cat >README.md <<END
# Orders

A demo. Copy \`.env.example\` to \`.env\`, set \`POSTGRES_PASSWORD\`, then \`docker compose up\`.
Tokens look like \`ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\`.
END

cat >.env.example <<'END'
POSTGRES_PASSWORD=changeme
REDIS_URL=redis://:changeme@cache:6379/0
GITHUB_TOKEN=your-token-here
SLACK_WEBHOOK=https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX
END

cat >.env <<END
POSTGRES_PASSWORD=$(base64_of 32)
JWT_SIGNING_KEY=$signing_key
SESSION_SECRET=$(base64_of 48)
END

cat >app/settings.py <<'END'
import os

DATABASE_PASSWORD = os.environ["POSTGRES_PASSWORD"]
GITHUB_TOKEN = os.getenv("GITHUB_TOKEN")
PASSWORD_MIN_LENGTH = 12
SECRET_NAME = "orders-database-credentials"
END

cat >app/main.py <<END
import smtplib

from app import settings

DATABASE_URL = "postgresql://orders:$database_password@db.internal:5432/orders"


def notify(text):
    with smtplib.SMTP("mail.internal") as server:
        server.login("orders", password="$(random 0-9A-Za-z 15)3")
        server.sendmail("orders@shop.internal", "ops@shop.internal", text)
END

cat >deploy/config.yaml <<END
cache:
  url: redis://:$cache_password@cache.internal:6379/0
aws:
  access_key_id: AKIA$(random A-Z2-7 16)
  secret_access_key: $(base64_of 30)
alerts:
  webhook: https://hooks.slack.com/services/T$(random A-Z0-9 10)/B$(random A-Z0-9 10)/$(random 0-9A-Za-z 24)
password_policy: strict
END

cat >deploy/docker-compose.yml <<END
services:
  db:
    image: postgres:17
    environment:
      POSTGRES_USER: orders
      POSTGRES_PASSWORD: $database_password
  web:
    build: .
    environment:
      DATABASE_URL: postgresql://orders:$database_password@db:5432/orders
      REDIS_PASSWORD: \${REDIS_PASSWORD}
END

pem "EC PRIVATE KEY" >deploy/tls.key

cat >scripts/deploy.sh <<END
#!/bin/sh
git clone "https://x-access-token:$(github_token)@github.com/shop/orders.git"
curl -H "Authorization: Bearer \$DEPLOY_TOKEN" https://deploy.internal/orders
END
