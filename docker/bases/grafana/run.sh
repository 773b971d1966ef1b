#!/bin/sh
# The stand-in's only setting is the port.
set -e
export GF_SERVER_HTTP_PORT="${GF_SERVER_HTTP_PORT:-3000}"
envsubst '${GF_SERVER_HTTP_PORT}' </usr/share/grafana/stand-in.conf.template >/tmp/stand-in.conf
exec nginx -c /tmp/stand-in.conf -g "daemon off;"
