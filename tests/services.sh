#!/usr/bin/env bash
# Real servers for the tests: PostgreSQL, MariaDB, Redis and NATS, on free ports of the loopback, with accounts of every kind.
#
#   tests/services.sh run COMMAND…   starts them, runs the command with HEKATE_TEST_* set, stops them whatever happens
#   tests/services.sh start FOLDER   starts them in an empty or new folder, and writes FOLDER/env to be sourced
#   tests/services.sh stop FOLDER    stops them and removes the folder
#
# Packages that are missing are installed with apt. Every password and key is made anew; nothing stays behind.
set -euo pipefail

LOOPBACK=127.0.0.1
TRIES=5          # another clone may take a port between the look and the start
INSTALLER=       # the process that prepares MariaDB meanwhile
PATIENCE=600     # twentieths of a second that a server may take to be ready

need() { command -v "$1" >/dev/null 2>&1; }
fail() { echo "services: $*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }

# Programs and their packages.
packages_missing() {
    need openssl || echo openssl
    { need initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; } || echo postgresql
    need psql || echo postgresql-client
    need mariadbd || [ -x /usr/sbin/mariadbd ] || echo mariadb-server
    need redis-server || echo redis-server
    need nats-server || [ -x /usr/sbin/nats-server ] || echo nats-server
}

install_missing() {
    local packages
    packages=$(packages_missing)
    [ -n "$packages" ] || return 0
    need apt-get || fail "missing, and there is no apt to install them with: ${packages//$'\n'/ }"
    # The packages' own services are not wanted: policy-rc.d keeps them from being started.
    # shellcheck disable=SC2086
    as_root bash -ec '
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap "rm -f $policy" EXIT
            printf "#!/bin/sh\nexit 101\n" >"$policy"
            chmod 755 "$policy"
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
    ' install ${packages} >&2
}

as_root() {
    if is_root; then
        "$@"
    elif need sudo; then
        sudo -n "$@"
    else
        fail "neither root nor sudo, to install: $(packages_missing | tr '\n' ' ')"
    fi
}

# PostgreSQL refuses to run as root, so that none of the servers does. Known once the packages, with their users, are there.
SERVANT=
AS_SERVANT=()    # put before a program, it makes it run as that user, in the same process

choose_servant() {
    is_root || return 0
    if getent passwd postgres >/dev/null; then SERVANT=postgres; else SERVANT=nobody; fi
    AS_SERVANT=(setpriv "--reuid=$SERVANT" "--regid=$(id -g "$SERVANT")" --clear-groups)
}

as_servant() { "${AS_SERVANT[@]}" "$@"; }

own_by_servant() {
    if is_root; then chown -R "$SERVANT:" "$@"; fi
}

password() { openssl rand -hex 20; }

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (exec 3<>"/dev/tcp/$LOOPBACK/$port") 2>/dev/null || break
    done
    echo "$port"
}

# launch NAME READY COMMAND…: starts a server that stays in the foreground; fails if it ends before it says READY.
launch() {
    local name=$1 ready=$2 log=$FOLDER/$1.log tick
    shift 2
    : >"$log"
    own_by_servant "$log"
    # A session of its own: Ctrl-C is for the tests, and `stop` for the servers.
    "${AS_SERVANT[@]}" setsid "$@" >>"$log" 2>&1 </dev/null &
    local pid=$!
    echo "$pid" >"$FOLDER/$name.pid"
    for ((tick = 0; tick < PATIENCE; tick++)); do
        if grep -q "$ready" "$log"; then return 0; fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.05
    done
    return 1
}

# on_free_port NAME FUNCTION: calls the function with a port until the server starts.
on_free_port() {
    local name=$1 start=$2 try port
    for ((try = 0; try < TRIES; try++)); do
        port=$(free_port)
        if "$start" "$name" "$port"; then
            note "HEKATE_TEST_$(echo "$name" | tr 'a-z-' 'A-Z_')_PORT" "$port"
            return 0
        fi
        stop_server "$FOLDER/$name.pid"
    done
    tail -n 20 "$FOLDER/$name.log" >&2
    fail "$name does not start"
}

note() { echo "export $1='$2'" >>"$FOLDER/env"; }

make_certificates() {
    local tls=$FOLDER/tls
    mkdir "$tls"
    printf 'subjectAltName=DNS:localhost,IP:%s\nbasicConstraints=CA:FALSE\n' "$LOOPBACK" >"$tls/extensions"
    {
        openssl ecparam -name prime256v1 -genkey -noout -out "$tls/ca.key"
        openssl req -x509 -new -key "$tls/ca.key" -days 2 -subj "/CN=hekate test authority" -out "$tls/ca.pem" \
            -addext "basicConstraints=critical,CA:TRUE"
        openssl ecparam -name prime256v1 -genkey -noout -out "$tls/server.key"
        openssl req -new -key "$tls/server.key" -subj "/CN=localhost" -out "$tls/server.csr"
        openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial -days 2 \
            -extfile "$tls/extensions" -out "$tls/server.pem"
    } 2>"$FOLDER/openssl.log"
    chmod 600 "$tls"/*.key
    own_by_servant "$tls"
    chmod 755 "$tls"
    note HEKATE_TEST_CA "$tls/ca.pem"
}

postgres_programs() {
    local found
    if need initdb; then found=$(readlink -f "$(command -v initdb)"); else
        found=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    fi
    dirname "$found"
}

prepare_postgres() {
    local data=$FOLDER/postgres bin
    bin=$(postgres_programs)
    printf '%s\n' "$ADMIN_PASSWORD" >"$FOLDER/admin-password"
    chmod 600 "$FOLDER/admin-password"
    mkdir "$data"
    chmod 700 "$data"
    own_by_servant "$data" "$FOLDER/admin-password"
    as_servant "$bin/initdb" -D "$data" -U hekate_admin --pwfile="$FOLDER/admin-password" --no-sync \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C >"$FOLDER/initdb.log" 2>&1 ||
        { cat "$FOLDER/initdb.log" >&2; fail "initdb"; }
    rm "$FOLDER/admin-password"
    as_servant tee -a "$data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '$LOOPBACK'
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
log_statement = 'all'
log_connections = on
log_line_prefix = '%u '
fsync = off
ssl = on
ssl_cert_file = '$FOLDER/tls/server.pem'
ssl_key_file = '$FOLDER/tls/server.key'
max_wal_senders = 4
CONF
    as_servant tee "$data/pg_hba.conf" >/dev/null <<HBA
host  all          hekate_clear     $LOOPBACK/32  password
host  all          hekate_md5       $LOOPBACK/32  md5
host  all          hekate_trust     $LOOPBACK/32  trust
host  all          hekate_rejected  $LOOPBACK/32  reject
host  replication  all              $LOOPBACK/32  scram-sha-256
host  all          all              $LOOPBACK/32  scram-sha-256
HBA
}

start_postgres() {
    # Its log says "ready" in every locale, since initdb was told C.
    launch "$1" "database system is ready to accept connections" \
        "$(postgres_programs)/postgres" -D "$FOLDER/postgres" -p "$2"
}

fill_postgres() {
    local port
    port=$(sed -n "s/^export HEKATE_TEST_POSTGRES_PORT='\(.*\)'/\1/p" "$FOLDER/env")
    PGPASSWORD=$ADMIN_PASSWORD psql -X -q -v ON_ERROR_STOP=1 -h "$LOOPBACK" -p "$port" -U hekate_admin -d postgres <<SQL
SET log_statement = 'none';
CREATE DATABASE hekate;
CREATE ROLE hekate_scram LOGIN PASSWORD '$PASSWORD';
CREATE ROLE hekate_clear LOGIN PASSWORD '$PASSWORD';
CREATE ROLE hekate_trust LOGIN PASSWORD '$PASSWORD';
CREATE ROLE hekate_rejected LOGIN PASSWORD '$PASSWORD';
CREATE ROLE hekate_expired LOGIN PASSWORD '$PASSWORD' VALID UNTIL '2001-01-01';
CREATE ROLE hekate_disabled NOLOGIN PASSWORD '$PASSWORD';
CREATE ROLE hekate_full LOGIN CONNECTION LIMIT 0 PASSWORD '$PASSWORD';
CREATE ROLE hekate_replication LOGIN REPLICATION PASSWORD '$PASSWORD';
SET password_encryption = 'md5';
CREATE ROLE hekate_md5 LOGIN PASSWORD '$PASSWORD';
SQL
}

prepare_mysql() {
    local data=$FOLDER/mysql
    mkdir "$data"
    own_by_servant "$data"
    # The accounts are made by the server itself, before it listens.
    cat >"$FOLDER/mysql.sql" <<SQL
CREATE USER hekate_admin@'%' IDENTIFIED BY '$ADMIN_PASSWORD';
GRANT ALL ON *.* TO hekate_admin@'%' WITH GRANT OPTION;
CREATE USER hekate_native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('$PASSWORD');
CREATE USER hekate_ed25519@'%' IDENTIFIED VIA ed25519 USING PASSWORD('$PASSWORD');
CREATE USER hekate_locked@'%' IDENTIFIED BY '$PASSWORD' ACCOUNT LOCK;
CREATE USER hekate_expired@'%' IDENTIFIED BY '$PASSWORD' PASSWORD EXPIRE;
CREATE USER hekate_tls@'%' IDENTIFIED BY '$PASSWORD' REQUIRE SSL;
SQL
    chmod 600 "$FOLDER/mysql.sql"
    own_by_servant "$FOLDER/mysql.sql"
    as_servant mariadb-install-db --no-defaults --datadir="$data" --skip-test-db --auth-root-authentication-method=normal \
        >"$FOLDER/mysql-install.log" 2>&1 || { tail "$FOLDER/mysql-install.log" >&2; fail "mariadb-install-db"; }
}

start_mysql() {
    local server=/usr/sbin/mariadbd
    if need mariadbd; then server=$(command -v mariadbd); fi
    launch "$1" "ready for connections" "$server" --no-defaults --datadir="$FOLDER/mysql" --bind-address="$LOOPBACK" \
        --port="$2" --socket="$FOLDER/mysql/s" --pid-file="$FOLDER/mysql/pid" --init-file="$FOLDER/mysql.sql" \
        --plugin-load-add=auth_ed25519 --disconnect-on-expired-password=ON --ssl-cert="$FOLDER/tls/server.pem" --ssl-key="$FOLDER/tls/server.key" \
        --innodb-flush-log-at-trx-commit=0 --innodb-buffer-pool-size=16M --performance-schema=off
}

prepare_redis() {
    mkdir "$FOLDER/redis" "$FOLDER/redis-open"
    cat >"$FOLDER/redis/users.acl" <<ACL
user default on >$PASSWORD ~* +@all
user hekate_admin on >$ADMIN_PASSWORD ~* &* +@all
user hekate_on on >$PASSWORD ~* -@all
user hekate_off off >$PASSWORD ~* +@all
ACL
    chmod 600 "$FOLDER/redis/users.acl"
    own_by_servant "$FOLDER/redis" "$FOLDER/redis-open"
}

start_redis() {
    launch "$1" "Ready to accept connections" redis-server --port "$2" --bind "$LOOPBACK" --dir "$FOLDER/redis" \
        --save "" --aclfile "$FOLDER/redis/users.acl"
}

start_redis_tls() {
    launch "$1" "Ready to accept connections" redis-server --port 0 --tls-port "$2" --bind "$LOOPBACK" \
        --dir "$FOLDER/redis" --save "" --aclfile "$FOLDER/redis/users.acl" --tls-auth-clients no \
        --tls-cert-file "$FOLDER/tls/server.pem" --tls-key-file "$FOLDER/tls/server.key" \
        --tls-ca-cert-file "$FOLDER/tls/ca.pem"
}

start_redis_open() {
    launch "$1" "Ready to accept connections" redis-server --port "$2" --bind "$LOOPBACK" \
        --dir "$FOLDER/redis-open" --save ""
}

prepare_nats() {
    local users="users = [{ user: hekate, password: \"$PASSWORD\" }, { user: hekate_admin, password: \"$ADMIN_PASSWORD\" }]"
    echo "authorization { $users }" >"$FOLDER/nats.conf"
    cat >"$FOLDER/nats-tls.conf" <<CONF
authorization { $users }
tls { cert_file: "$FOLDER/tls/server.pem", key_file: "$FOLDER/tls/server.key" }
CONF
    : >"$FOLDER/nats-open.conf"
    chmod 600 "$FOLDER"/nats*.conf
    own_by_servant "$FOLDER"/nats*.conf
}

start_nats() {
    local server=/usr/sbin/nats-server
    if need nats-server; then server=$(command -v nats-server); fi
    launch "$1" "Server is ready" "$server" -c "$FOLDER/$1.conf" -a "$LOOPBACK" -p "$2"
}

start_all() {
    FOLDER=$1
    chmod 711 "$FOLDER"
    install_missing
    choose_servant
    PASSWORD=$(password)
    ADMIN_PASSWORD=$(password)
    (umask 077 && : >"$FOLDER/env")
    as_servant test -x "$FOLDER" || fail "${SERVANT:-you} can't enter $FOLDER: take another folder, or set TMPDIR"
    note HEKATE_TEST_SERVICES "$FOLDER"
    note HEKATE_TEST_PASSWORD "$PASSWORD"
    note HEKATE_TEST_ADMIN_PASSWORD "$ADMIN_PASSWORD"
    make_certificates
    prepare_nats
    prepare_redis
    # It is waited for in any case, so that it writes nothing into a folder that is gone.
    (trap '' INT TERM && prepare_mysql) &
    INSTALLER=$!
    prepare_postgres
    on_free_port postgres start_postgres
    fill_postgres
    note HEKATE_TEST_POSTGRES_LOG "$FOLDER/postgres.log"
    on_free_port redis start_redis
    on_free_port redis-tls start_redis_tls
    on_free_port redis-open start_redis_open
    on_free_port nats start_nats
    on_free_port nats-tls start_nats
    on_free_port nats-open start_nats
    wait "$INSTALLER"
    on_free_port mysql start_mysql
}

# SIGINT lets PostgreSQL end its sessions at once; the others take SIGTERM.
signal_of() { if [ "$1" = postgres ]; then echo INT; else echo TERM; fi; }

# Ends the server of a pid file, and waits until it is gone.
stop_server() {
    local pid signal tick
    pid=$(cat "$1")
    for signal in "$(signal_of "$(basename "$1" .pid)")" KILL; do
        kill -s "$signal" "$pid" 2>/dev/null || break
        for ((tick = 0; tick < PATIENCE / 4; tick++)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.05
        done
    done
    rm "$1"
}

stop_all() {
    local folder=$1 file
    [ -f "$folder/env" ] || fail "$folder holds no services"
    for file in "$folder"/*.pid; do
        if [ -f "$file" ]; then stop_server "$file"; fi
    done
    rm -rf "$folder"
}

# What is left of a start that did not succeed, or of a run that is over.
clean_up() {
    # The one child that is no server.
    if [ -n "$INSTALLER" ]; then wait "$INSTALLER" || true; fi
    if [ -f "$1/env" ]; then stop_all "$1"; else rm -rf "$1"; fi
}

run() {
    local code=0
    RUN_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/hekate-services.XXXXXX")
    trap 'clean_up "$RUN_FOLDER"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    start_all "$RUN_FOLDER"
    # shellcheck disable=SC1091
    . "$RUN_FOLDER/env"
    "$@" || code=$?
    exit "$code"
}

case "${1-}" in
run) shift && [ $# -gt 0 ] || fail "run what?" && run "$@" ;;
start)
    [ $# = 2 ] || fail "start in which folder?"
    mkdir -p "$2"
    [ -z "$(ls -A "$2")" ] || fail "$2 is not empty"
    RUN_FOLDER=$(cd "$2" && pwd)
    trap 'clean_up "$RUN_FOLDER"' EXIT
    start_all "$RUN_FOLDER"
    trap - EXIT
    ;;
stop) [ $# = 2 ] || fail "stop in which folder?" && stop_all "$2" ;;
*) fail "run COMMAND… | start FOLDER | stop FOLDER" ;;
esac
