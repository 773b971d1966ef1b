# shellcheck shell=bash disable=SC2016 # backquotes mark names in messages
# What `backup` and `restore` share: who and where the database is, how it is dumped and asked, and what a whole dump looks like. Sourced.

say() { printf '%s\n' "$1" >&2; }

# fail CODE MESSAGE [HINT]
fail() {
  say "error: $2"
  [ $# -lt 3 ] || say "hint: $3"
  exit "$1"
}

cleanup() { :; }
private='' locked=''
finish() {
  local code=$?
  cleanup
  [ -z "$locked" ] || rmdir -- "$locked"
  [ -z "$private" ] || rm -rf -- "$private"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || fail 4 "\`$program\` is not installed" "run it in the database's own image"
  done
}

decoded() {
  local text=${1//\\/\\\\}
  printf '%b' "${text//%/\\x}"
}

# Reads DATABASE_URL into engine, user, host, port, name, and makes the client's configuration with the password in it.
read_database() {
  local url=${DATABASE_URL:-} rest address password=''
  [ -n "$url" ] || fail 2 '`DATABASE_URL` is not set' 'DATABASE_URL=postgres://user@host:5432/name'
  case $url in
  postgres://* | postgresql://* | postgresql+*://* | postgres+*://*) engine=postgres port=5432 ;;
  mysql://* | mariadb://* | mysql+*://* | mariadb+*://*) engine=mysql port=3306 ;;
  *) fail 2 '`DATABASE_URL` is neither of PostgreSQL nor of MySQL' 'DATABASE_URL=postgres://user@host:5432/name' ;;
  esac
  rest=${url#*://} rest=${rest%%\?*}
  case $rest in
  */?*) name=$(decoded "${rest##*/}") address=${rest%/*} ;;
  *) fail 2 '`DATABASE_URL` names no database' 'end it with `/name`' ;;
  esac
  # A name that needs quoting would need it in file names, patterns and SQL as well.
  [[ $name =~ ^[A-Za-z0-9_][A-Za-z0-9_-]{0,37}$ ]] ||
    fail 2 'the name of the database is not 1 to 38 of `A-Z a-z 0-9 _ -`' 'dump it by hand'
  user='' host=$address
  if [[ $address == *@* ]]; then
    user=${address%@*} host=${address##*@}
    [[ $user != *:* ]] || { password=$(decoded "${user#*:}") && user=${user%%:*}; }
    user=$(decoded "$user")
  fi
  [[ ! $host =~ :([0-9]+)$ ]] || { port=${BASH_REMATCH[1]} && host=${host%:*}; }
  [ -n "$host" ] || fail 2 '`DATABASE_URL` names no host'
  if [ -n "${DATABASE_PASSWORD_FILE:-}" ]; then
    [ -r "$DATABASE_PASSWORD_FILE" ] || fail 2 "\`$DATABASE_PASSWORD_FILE\` cannot be read" 'is the secret mounted, and may this user read it?'
    password=$(cat -- "$DATABASE_PASSWORD_FILE")
  fi
  # shellcheck disable=SC2034 # for whoever sources this
  backups=${BACKUP_DIR:-/backups}
  need gzip mktemp
  private=$(mktemp -d)
  configure "$password"
}

# A password on the command line or in the environment could be read by others; a file of ours cannot.
configure() {
  local password=${1//\\/\\\\}
  if [ "$engine" = postgres ]; then
    need pg_dump psql
    (umask 077 && printf '*:*:*:*:%s\n' "${password//:/\\:}" >"$private/pgpass")
    export PGPASSFILE=$private/pgpass PGCONNECT_TIMEOUT=10
  else
    mysql=$(command -v mariadb || command -v mysql || true)
    mysqldump=$(command -v mariadb-dump || command -v mysqldump || true)
    if [ -z "$mysql" ] || [ -z "$mysqldump" ]; then need mysql mysqldump; fi
    (umask 077 && printf '[client]\npassword="%s"\n' "${password//\"/\\\"}" >"$private/my.cnf")
    reach=(--defaults-file="$private/my.cnf" --host="$host" --port="$port" --protocol=tcp)
    [ -z "$user" ] || reach+=(--user="$user")
  fi
}

# sql DATABASE: runs SQL from stdin and prints rows, columns apart by tabs. For PostgreSQL the database `postgres` always exists.
sql() {
  if [ "$engine" = postgres ]; then
    psql -X -q -At -F $'\t' -v ON_ERROR_STOP=1 -h "$host" -p "$port" ${user:+-U "$user"} -d "$1" -f - "${@:2}"
  else
    "$mysql" "${reach[@]}" --batch --skip-column-names --default-character-set=utf8mb4 ${1:+"$1"}
  fi
}

# dump DATABASE: writes SQL to stdout. Rows of MySQL get a line each, so that they can be counted.
dump() {
  if [ "$engine" = postgres ]; then
    pg_dump --no-password -h "$host" -p "$port" ${user:+-U "$user"} -d "$1"
    return
  fi
  local more=()
  # MySQL only: without it, a restore would want rights over the whole server.
  if [[ $("$mysqldump" --no-defaults --help) == *--set-gtid-purged* ]]; then more+=(--set-gtid-purged=OFF); fi
  "$mysqldump" "${reach[@]}" --single-transaction --quick --routines --triggers --events --hex-blob --no-tablespaces \
    --skip-extended-insert --no-autocommit --default-character-set=utf8mb4 ${more[@]+"${more[@]}"} "$1"
}

# Lists the backups of this database in a folder, newest first.
list() {
  local path
  for path in "$1/$name-"*.sql.gz; do
    path=${path##*/}
    if [[ ${path#"$name-"} =~ ^[0-9]{8}T[0-9]{6}Z\.sql\.gz$ ]]; then printf '%s\n' "$path"; fi
  done | sort -r
}

# verify FILE: whole as gzip, and a dump of this engine from its first line to its last.
verify() {
  gzip -t -- "$1" || fail 1 "\`$1\` is damaged" 'its own words are above'
  local head tail title trailer
  # `head` closes the pipe early; what unpacks into it then ends with a signal, which is no failure.
  head=$(gzip -dc -- "$1" 2>/dev/null | head -c 4096 || true)
  tail=$(gzip -dc -- "$1" | tail -c 4096)
  case $engine in
  postgres) title='-- PostgreSQL database dump' trailer='-- PostgreSQL database dump complete' ;;
  mysql) title='-- M[a-zA-Z]* dump ' trailer='-- Dump completed' ;;
  esac
  grep -q -e "^$title" <<<"$head" || fail 1 "\`$1\` is no dump of $engine"
  grep -q -e "^$trailer" <<<"$tail" || fail 1 "the dump \`$1\` was cut short: it does not end with \`$trailer\`"
}

# Lets the group of the sidecar read a file or folder, when there is one.
share() {
  [ -z "${BACKUP_GROUP:-}" ] || chgrp -- "$BACKUP_GROUP" "$1" ||
    fail 2 "the group of \`$1\` cannot be set to \`$BACKUP_GROUP\`" 'run as root, or as a member of that group'
}

# lock PATH: one at a time, and no lock outlives its process. A folder serves where there is no `flock`; it has to be removed by hand
# should the process be killed.
lock() {
  local busy='another backup or restore of this database is running'
  if command -v flock >/dev/null; then
    exec 9>"$1"
    flock -n 9 || fail 4 "$busy"
    return
  fi
  mkdir "$1.d" 2>/dev/null || fail 4 "$busy" "if it was killed, remove \`$1.d\`"
  locked=$1.d
}
