# shellcheck shell=bash disable=SC2034,SC2154 # sourced: variables come from and go to the caller
# What must be there before the first container: room, free ports, secrets, images. Sourced by docker/up.

enough_disk() {
  local wanted=${STACK_MIN_FREE_MB:-3072} place free
  place=$(docker info -f '{{.DockerRootDir}}' 2>/dev/null)
  [ -d "$place" ] || place=. # the engine is in a machine of its own
  free=$(df -Pm "$place" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$wanted" ] || fail 4 "too little disk: $free MB free at $place, $wanted MB are wanted" \
    "make room there (docker image prune), or lower STACK_MIN_FREE_MB if you know better"
}

listening() { # port
  if command -v ss >/dev/null; then
    [ -n "$(ss -Hltn "sport = :$1" 2>/dev/null)" ]
  else
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
  fi
}

free_port_or_fail() { # variable, default, service
  local port holder
  port=$(setting "$1" "$2")
  if ! [[ $port =~ ^[0-9]{1,5}$ ]] || [ "$port" -gt 65535 ] || [ "$port" -lt 1 ]; then
    fail 2 "$1 is \`$port\`" "a port from 1 to 65535"
  fi
  listening "$port" || return 0
  holder=$(docker ps --filter "publish=$port" --format '{{.Names}}' | head -n 1)
  [ "$holder" != "$(docker inspect -f '{{.Name}}' "$(container_of "$3")" 2>/dev/null | cut -c2-)" ] || [ -z "$holder" ] || return 0
  fail 4 "port $port, which $3 wants, is in use${holder:+ by the container $holder}" "free it, or set $1 in $env_file to another port"
}

ports_free() {
  free_port_or_fail HTTP_PORT 80 nginx
  free_port_or_fail HTTPS_PORT 443 nginx
  [ -n "$monitoring" ] || return 0
  free_port_or_fail PROMETHEUS_PORT 9090 prometheus
  free_port_or_fail ALERTMANAGER_PORT 9093 alertmanager
  free_port_or_fail GRAFANA_PORT 3001 grafana
}

random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }

# Compose mounts a secret with the owner and mode it has on the host, and every container here has a user of its own: so the folder
# is closed to everybody else, and the files in it are readable.
secrets() {
  local name made=()
  mkdir -p secrets && chmod 700 secrets
  for name in db_root_password db_password redis_password jwt_secret admin_password grafana_admin_password; do
    [ ! -s "secrets/$name" ] || continue
    random_hex 24 >"secrets/$name"
    made+=("$name")
  done
  # Whom to page and to mail: empty until you fill them in.
  for name in smtp_password pagerduty_routing_key slack_webhook_url; do [ -e "secrets/$name" ] || : >"secrets/$name"; done
  if [ ! -s secrets/tls.crt ] || [ ! -s secrets/tls.key ]; then
    [ ! -s secrets/tls.crt ] && [ ! -s secrets/tls.key ] ||
      fail 2 "only one of secrets/tls.crt and secrets/tls.key is there" "put both, or remove both for a self-signed certificate"
    command -v openssl >/dev/null || fail 4 "openssl is not installed, and there is no secrets/tls.crt" "install it, or put a certificate there"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 397 -subj "/CN=$(setting SERVER_NAME localhost)" \
      -addext "subjectAltName=DNS:$(setting SERVER_NAME localhost),DNS:localhost,DNS:nginx,IP:127.0.0.1" \
      -addext basicConstraints=critical,CA:FALSE -keyout secrets/tls.key -out secrets/tls.crt 2>/dev/null
    made+=(tls.crt tls.key)
  fi
  chmod 444 secrets/*
  chmod 644 secrets/smtp_password secrets/pagerduty_routing_key secrets/slack_webhook_url
  [ ${#made[@]} -eq 0 ] || step "secrets made: ${made[*]}"
}

# Public images if the engine can get them, else the local bases.
choose_images() {
  if [ -z "$local_bases" ]; then
    local probe
    probe=$("${compose[@]}" -f compose.yaml config | awk '/^  redis:/ { inside = 1 } inside && $1 == "image:" { print $2; inside = 0 }')
    if docker image inspect "$probe" >/dev/null 2>&1 || timeout 60 "${compose[@]}" -f compose.yaml pull -q redis >/dev/null 2>&1; then
      step "public images"
      return 0
    fi
    local_bases=yes
    step "no registry gave $probe within 60 s: local bases"
  fi
  bases/build
  files+=(-f compose.local.yaml)
  export MYSQL_IMAGE=stack-local/mysql:10.11
  local_image agent
  local_image backend agent
}

# Before the clock of the start runs, for compiling and downloading take minutes. One service stands for all sidecars: engines that
# build in parallel refuse a second image of the same name.
fetch_images() {
  # shellcheck disable=SC2086 # words
  "${compose[@]}" pull -q db redis nginx ${monitoring:+prometheus alertmanager grafana} >&2 ||
    fail 4 "an image cannot be fetched" "its own words are above; --local makes the images here"
  step "building the images of the agent and the backend"
  "${compose[@]}" build db-sidecar backend >&2 || fail 4 "an image cannot be built" "its own words are above"
}

# Static, as in the Dockerfiles; cargo does nothing when nothing changed.
binary() { # name: prints its path
  local given target
  given=$(setting "STACK_${1^^}_BINARY" "")
  if [ -n "$given" ]; then
    printf '%s\n' "$given"
    return 0
  fi
  command -v cargo >/dev/null || fail 4 "no registry and no cargo: nothing to make the image of $1 from" "install Rust, or name a binary: STACK_${1^^}_BINARY"
  target=$(rustc -vV | sed -n 's/^host: //p')
  local profile=release
  [ "$1" != agent ] || profile=agent
  (cd .. && RUSTFLAGS="-C target-feature=+crt-static" cargo build -q --locked -p "$1" --profile "$profile" --target "$target" >&2) ||
    fail 4 "$1 does not build"
  printf '%s\n' "${CARGO_TARGET_DIR:-../target}/$target/$profile/$1"
}

local_image() { # name, further binaries in it
  local folder name path
  folder=$(mktemp -d)
  for name in "$@"; do
    path=$(binary "$name")
    cp "$path" "$folder/$name"
  done
  if ! docker build -q -t "stack-local/$1:latest" -f "local/$1.Dockerfile" "$folder" >"$folder.log" 2>&1; then
    tail -n 5 "$folder.log" >&2
    rm -rf "$folder" "$folder.log"
    fail 4 "the image stack-local/$1 could not be built"
  fi
  rm -rf "$folder" "$folder.log"
  step "image stack-local/$1: $(docker image inspect -f '{{.Size}}' "stack-local/$1:latest") bytes"
}

# A new volume belongs to root, and the job that fills this one does not run as root.
backups_writable() {
  docker run --rm --network none --user 0:0 --cap-drop ALL --cap-add CHOWN --read-only -v "${COMPOSE_PROJECT_NAME}_backups:/backups" \
    --entrypoint chown "$(docker inspect -f '{{.Image}}' "$(container_of db)")" 999:999 /backups
}
