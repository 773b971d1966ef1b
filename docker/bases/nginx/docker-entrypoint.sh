#!/bin/sh
# Runs the scripts of /docker-entrypoint.d, then the command.
set -e
if [ "$1" = nginx ]; then
  for script in /docker-entrypoint.d/*.sh; do
    [ ! -e "$script" ] || /bin/sh "$script"
  done
fi
exec "$@"
