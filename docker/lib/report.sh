# shellcheck shell=bash disable=SC2034,SC2154 # sourced: variables come from and go to the caller
# What docker/up says: progress, the closing table, and why it failed. Sourced by docker/up.

services() { containers | awk '$1 !~ /-sidecar$/ { print $1 }'; }
sidecars() { containers | awk '$1 ~ /-sidecar$/ { print $1 }'; }

address() { # service
  case $1 in
    db) [ -n "$mysql" ] && echo "db:3306" || echo "db:5432" ;;
    redis) echo "redis:6379" ;;
    backend) echo "backend:8000" ;;
    frontend) echo "frontend:3000" ;;
    nginx) local port; port=$(setting HTTPS_PORT 443); [ "$port" = 443 ] && echo "https://localhost" || echo "https://localhost:$port" ;;
    prometheus) echo "http://127.0.0.1:$(setting PROMETHEUS_PORT 9090)" ;;
    alertmanager) echo "http://127.0.0.1:$(setting ALERTMANAGER_PORT 9093)" ;;
    grafana) echo "http://127.0.0.1:$(setting GRAFANA_PORT 3001)" ;;
    *) echo "-" ;;
  esac
}

# Runs look.sh in a container of a network, for no sidecar has a port on this host.
look_from() { # network, arguments of look.sh
  local image network=$1
  shift
  image=$("${compose[@]}" config | awk '/^  nginx:/ { inside = 1 } inside && $1 == "image:" { print $2; inside = 0 }')
  docker run --rm -i --network "$network" --user 65534:65534 --read-only --tmpfs /tmp:mode=1777 \
    --cap-drop ALL --security-opt no-new-privileges --memory 64m --entrypoint sh "$image" -s "$@" <lib/look.sh
}

# One look at all sidecars.
look() { # seconds to wait, seconds between two measurements, sidecars
  look_from "${COMPOSE_PROJECT_NAME}_monitoring" "$@"
}

# The look as lines `db-sidecar 200 db:up schema:down:refused`; no check at all means that there was no answer.
verdicts() { # a look
  awk '
    # What the peer reports of itself has no state and is none of the checks.
    function close_check() { if (state != "") checks = checks " " name ":" state (reason == "" || reason == "null" ? "" : ":" reason); state = ""; reason = "" }
    function flush() { close_check(); if (sidecar != "") print sidecar, code, checks }
    function unquoted(text) { gsub(/[",]/, "", text); return text }
    /^SIDECAR / { flush(); sidecar = $2; code = $3; checks = ""; inside = 0; next }
    /^  "services": \{/ { inside = 1; next }
    inside && /^  \}/ { inside = 0 }
    inside && /^    "/ { close_check(); name = $1; gsub(/[":]/, "", name) }
    inside && /^      "state":/ { state = unquoted($2) }
    inside && /^      "reason":/ { reason = unquoted($2) }
    END { flush() }' <<<"$1"
}

in_words() { # code, checks…
  local code=$1 check up=0 down=""
  shift
  for check in "$@"; do
    case $check in
      *:up) up=$((up + 1)) ;;
      *:down:*) down+="${down:+, }${check%%:*} is down (${check##*:})" ;;
      *) down+="${down:+, }${check%%:*} is not decided yet" ;;
    esac
  done
  [ "$code" != 000 ] || { echo "no answer"; return; }
  if [ -z "$down" ]; then
    echo "all well ($up checked)"
  else
    [ "$code" = 200 ] && echo "ready, but: $down" || echo "NOT ready: $down"
  fi
}

table() { # a look
  local said service state health restarts line
  said=$(verdicts "$1")
  printf '\n%-13s %-26s %-18s %s\n' service address state "its sidecar says"
  while read -r service state health restarts; do
    case $service in *-sidecar) continue ;; esac
    [ "$health" = - ] || state=$health
    [ "$restarts" = 0 ] || state+=", $restarts restarts"
    line=$(grep "^$service-sidecar " <<<"$said" || echo "$service-sidecar 000")
    # shellcheck disable=SC2086 # checks are words
    printf '%-13s %-26s %-18s %s\n' "$service" "$(address "$service")" "$state" "$(set -- $line; shift; in_words "$@")"
  done < <(containers)
}

# Memory and CPU of all sidecars together, as they measure themselves.
cost() { # a look, seconds between its measurements
  awk -v seconds="$2" '
    /^SIDECAR / { count++ }
    /^MEMORY after / { memory += $3 }
    /^CPU before / { cpu -= $3 }
    /^CPU after / { cpu += $3 }
    END { printf "\n%d sidecars together: %.1f MB resident, %.2f %% of a core over %d s\n", count, memory / 1e6, 100 * cpu / seconds, seconds }' <<<"$1"
}

# The checks that are not up, from a sidecar's diagnostics: name, reason, last message, way out.
why() { # its diagnostics
  awk '
    function value(line) { sub(/^[^:]*: /, "", line); sub(/,$/, "", line); gsub(/^"|"$/, "", line); gsub(/\\"/, "\"", line); return line }
    function flush() {
      if (name != "" && state != "" && state != "up") print "    " name ": " (message == "" ? state : reason ": " message) (hint == "" ? "" : "\n      hint: " hint)
      name = ""; state = ""; message = ""; hint = ""; reason = ""; last = 0
    }
    /^  "services": \{/ { inside = 1; next }
    inside && /^  \}/ { flush(); inside = 0 }
    inside && /^    "[^"]*": \{/ { flush(); name = $1; gsub(/[":]/, "", name) }
    inside && /^      "state":/ { state = value($0) }
    inside && /^      "reason":/ { reason = value($0) }
    inside && /^      "last":/ { last = 1 }
    inside && /^      "recent_failures":/ { last = 0 }
    inside && last && /^          "message":/ { message = value($0) }
    inside && last && /^          "hint":/ { hint = value($0); if (hint == "null") hint = "" }' <<<"$1"
}

# Why it failed, in the words of those who know: the sidecar beside the service, the service's own log, the engine.
explain() { # service
  local id=$1 sidecar
  say ""
  say "$1: $(containers | awk -v name="$1" '$1 == name { print $2 ", " $3 ", " $4 " restarts" }')"
  sidecar=$(container_of "$1-sidecar")
  if [ -n "$sidecar" ]; then
    say "  its sidecar says:"
    # Its diagnostics answer its own loopback only.
    why "$(look_from "container:$sidecar" why 0 127.0.0.1 2>/dev/null || true)" >&2
    docker logs "$sidecar" 2>&1 | grep -E ' (WARN|ERROR) ' | tail -n 2 | cut -c1-400 | sed 's/^/    /' >&2 || true
  fi
  id=$(container_of "$1")
  [ -n "$id" ] || return 0
  say "  its own last words:"
  docker logs --tail 6 "$id" 2>&1 | cut -c1-400 | sed 's/^/    /' >&2
  docker inspect -f '{{if .State.Health}}{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}}{{end}}' "$id" 2>/dev/null |
    grep -v '^$' | tail -n 1 | cut -c1-300 | sed 's/^/  its health check: /' >&2 || true
}
