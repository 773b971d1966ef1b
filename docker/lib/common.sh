# shellcheck shell=bash disable=SC2034,SC2154 # sourced: variables come from and go to the caller
# Shared by docker/up and docker/down: words, the engine, the settings. Sourced from the folder docker/.
# Exit codes as everywhere here: 1 bad news, 2 your input, 4 could not start.

say() { printf '%s\n' "$*" >&2; }
step() { printf '%4d s  %s\n' "$SECONDS" "$*" >&2; }

fail() { # exit code, what is wrong, way out
  printf 'error: %s\n' "$2" >&2
  [ -z "${3:-}" ] || printf 'hint: %s\n' "$3" >&2
  exit "$1"
}

env_file=${STACK_ENV_FILE:-.env}

# A setting: the environment's, else the file's, else the default.
setting() { # name, default
  local value=${!1:-}
  [ -n "$value" ] || value=$(sed -n "s/^$1=//p" "$env_file" 2>/dev/null | tail -n 1 | sed "s/^[\"']//; s/[\"']\$//")
  printf '%s' "${value:-$2}"
}

settings() {
  [ -f "$env_file" ] || fail 2 "there is no $env_file in $PWD" "cp $PWD/.env.example $PWD/.env and look through it"
  COMPOSE_PROJECT_NAME=$(setting COMPOSE_PROJECT_NAME stack)
  # Also a cgroup's name, where a dash would be a level of systemd's tree.
  [[ $COMPOSE_PROJECT_NAME =~ ^[a-z0-9][a-z0-9_]*$ ]] ||
    fail 2 "COMPOSE_PROJECT_NAME is \`$COMPOSE_PROJECT_NAME\`" "lower-case letters, digits and _ only: it becomes a part of cgroup names"
  export COMPOSE_PROJECT_NAME
}

# Sets `compose`: Compose v2, else docker-compose 1.29.
engine() {
  command -v docker >/dev/null || fail 4 "docker is not installed" "https://docs.docker.com/engine/install/"
  local words
  words=$(timeout 20 docker version --format '{{.Server.Version}}' 2>&1) ||
    fail 4 "the Docker engine does not answer: ${words##*$'\n'}" "start it (systemctl start docker), or may you use it (group docker)?"
  if docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
  elif command -v docker-compose >/dev/null; then
    compose=(docker-compose)
  else
    fail 4 "neither \`docker compose\` nor \`docker-compose\` is installed" "https://docs.docker.com/compose/install/"
  fi
  step "engine $words, ${compose[*]} $("${compose[@]}" version --short 2>/dev/null)"
  compose+=(--env-file "$env_file")
}

# Name, state and health of every container of the project, one a line: `db running healthy 0`; the last is its restarts.
containers() {
  local ids
  ids=$(docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter label=com.docker.compose.oneoff=False)
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2086 # ids are words; one may have gone in between
  docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}-{{end}} {{.RestartCount}}' $ids 2>/dev/null | sort || true
}

container_of() { # service
  docker ps -aq --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" --filter "label=com.docker.compose.service=$1" \
    --filter label=com.docker.compose.oneoff=False | head -n 1
}

project_volumes() { docker volume ls -q --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" | sort; }
