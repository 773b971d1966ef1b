#!/bin/sh
# /etc/nginx/templates/*.template, filled in from the environment, become files of NGINX_ENVSUBST_OUTPUT_DIR.
set -e
from=${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}
to=${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}
[ -d "$from" ] || exit 0
# Only variables that are set: `$host` and its like stay nginx's.
names=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
for template in "$from"/*.template; do
  [ -e "$template" ] || continue
  if [ ! -w "$to" ]; then
    echo "error: $template found, but $to is not writable" >&2
    exit 0
  fi
  envsubst "$names" <"$template" >"$to/$(basename "$template" .template)"
done
