#!/bin/bash
# First start: a data directory, root's password, a database and its user, the scripts of /docker-entrypoint-initdb.d. Then the server.
set -euo pipefail

from_file() { # NAME: the value of NAME, or of the file that NAME_FILE names
  local file="${1}_FILE"
  if [ -n "${!file:-}" ]; then
    [ -z "${!1:-}" ] || { echo "error: both $1 and $file are set" >&2; exit 1; }
    export "$1=$(cat "${!file}")"
    unset "$file"
  fi
}

case ${1:-} in
  -*) set -- mysqld "$@" ;;
esac
if [ "${1:-}" != mysqld ]; then exec "$@"; fi
shift
data=/var/lib/mysql
socket=/var/run/mysqld/mysqld.sock

if [ "$(id -u)" = 0 ]; then
  chown -R mysql "$data"
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$BASH_SOURCE" mysqld "$@"
fi

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/\\\\/\\\\\\\\/g; s/'/''/g")"; }

if [ ! -d "$data/mysql" ]; then
  for name in MYSQL_ROOT_PASSWORD MYSQL_PASSWORD MYSQL_USER MYSQL_DATABASE; do from_file "$name"; done
  [ -n "${MYSQL_ROOT_PASSWORD:-}" ] || { echo "error: MYSQL_ROOT_PASSWORD or MYSQL_ROOT_PASSWORD_FILE must be set" >&2; exit 1; }
  mariadb-install-db --datadir="$data" --skip-test-db --auth-root-authentication-method=normal >/dev/null
  mariadbd --datadir="$data" --socket="$socket" --skip-networking "$@" &
  server=$!
  for _ in $(seq 300); do mariadb-admin --socket="$socket" -uroot ping >/dev/null 2>&1 && break; sleep 0.1; done
  {
    [ -z "${MYSQL_DATABASE:-}" ] || echo "CREATE DATABASE \`$MYSQL_DATABASE\`;"
    if [ -n "${MYSQL_USER:-}" ]; then
      echo "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "$MYSQL_PASSWORD");"
      echo "GRANT ALL ON \`${MYSQL_DATABASE:-test}\`.* TO $(quoted "$MYSQL_USER")@'%';"
    fi
    echo "CREATE USER 'root'@'%' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
    echo "GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;"
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $(quoted "$MYSQL_ROOT_PASSWORD");"
  } | mariadb --socket="$socket" -uroot
  ask() { MYSQL_PWD=$MYSQL_ROOT_PASSWORD mariadb --socket="$socket" -uroot "$@"; }
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) if [ -x "$script" ]; then "$script"; else . "$script"; fi ;;
      *.sql) ask ${MYSQL_DATABASE:+"$MYSQL_DATABASE"} <"$script" ;;
    esac
  done
  MYSQL_PWD=$MYSQL_ROOT_PASSWORD mariadb-admin --socket="$socket" -uroot shutdown
  wait "$server"
  unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD
fi
exec mariadbd --datadir="$data" --socket="$socket" "$@"
