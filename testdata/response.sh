#!/bin/sh
# Sets up a leak to respond to: sh testdata/response.sh DIR
#
# In DIR: project/, a repository in whose history a database password stands; a role of a PostgreSQL that it opens; store/, a secret manager
# in small that holds it; inventory.yaml; hekate.toml, trusted config; admin-url; login.sh, which tries the old or the new password; stop.sh.
# Without servers of the tests (HEKATE_TEST_*) a PostgreSQL is started by tests/services.sh, which installs what it needs.
set -eu
folder=${1:?usage: response.sh DIR}
source=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
umask 077

if [ -z "${HEKATE_TEST_SERVICES:-}" ]; then
    "$source/tests/services.sh" start "$folder/servers"
    . "$folder/servers/env"
    echo "'$source/tests/services.sh' stop '$folder/servers'" >"$folder/stop.sh"
else
    echo 'true' >"$folder/stop.sh"
fi

password=$(openssl rand -hex 20)
role=demo_$(openssl rand -hex 6)
admin() {
    PGPASSWORD=$HEKATE_TEST_ADMIN_PASSWORD psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$HEKATE_TEST_POSTGRES_PORT" \
        -U hekate_admin -d hekate
}
admin <<SQL
SET log_statement = 'none';
CREATE ROLE $role LOGIN PASSWORD '$password';
SQL
echo "postgres://hekate_admin:$HEKATE_TEST_ADMIN_PASSWORD@localhost:$HEKATE_TEST_POSTGRES_PORT/hekate?sslmode=disable" >"$folder/admin-url"

mkdir -p "$folder/project" "$folder/store/production"
cd "$folder/project"
git init --quiet
commit() { git add --all && git -c user.name=Ada -c user.email=ada@example.com commit --quiet -m "$1"; }
printf 'POSTGRES_USER=%s\nPOSTGRES_PASSWORD=%s\n' "$role" "$password" >app.env
commit 'Settings of the app'
printf 'POSTGRES_USER=%s\n' "$role" >app.env
commit 'The password does not belong here'

cd "$folder"
echo "POSTGRES_PASSWORD=$password" >store/production/infrastructure.env
cat >inventory.yaml <<YAML
project: kosmos
environments: [production]
folders:
  infrastructure: [POSTGRES_PASSWORD]
secrets:
  POSTGRES_PASSWORD:
    target:
      type: postgres
      host: localhost
      port: $HEKATE_TEST_POSTGRES_PORT
      database: hekate
      role: $role
      admin_url_env: HEKATE_POSTGRES_ADMIN_URL
    consumers:
      - { type: command, name: restart-app }
policies:
  platform-engineers:
    description: Who runs the databases
    environments: [production]
    paths: [/infrastructure/*]
    permissions: [read, write]
YAML
cat >hekate.toml <<TOML
[store]
use = "dir:store"

[inventory]
file = "inventory.yaml"

[respond]
state = "state"

[respond.commands.restart-app]
program = ["/bin/sh", "$folder/restart-app.sh"]
TOML
echo "date >>'$folder/restarted'" >restart-app.sh
cat >login.sh <<SH
# sh login.sh old|new: tries the password that leaked, or the one that the store holds now.
old=\$(git -C '$folder/project' show HEAD~1:app.env | sed -n 's/^POSTGRES_PASSWORD=//p')
new=\$(sed -n 's/^POSTGRES_PASSWORD=//p' '$folder/store/production/infrastructure.env')
if [ "\$1" = old ]; then PGPASSWORD=\$old; else PGPASSWORD=\$new; fi
export PGPASSWORD
psql -X -A -t -h 127.0.0.1 -p '$HEKATE_TEST_POSTGRES_PORT' -U '$role' -d hekate -c "SELECT 'logged in as ' || current_user" 
SH
