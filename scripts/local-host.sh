# shellcheck shell=bash
# Sourced by scripts that test a running service: starts the local host on a free port, and stops it at the end. This file sets the
# host's key and store; callers export its other variables as SPIN_VARIABLE_….
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

KEY=a-key-for-this-run-alone-and-no-other
STARTED=()
FOLDERS=()

# Stops what was started here and takes its folders away.
stop_all() {
  local pid
  for pid in ${STARTED[@]+"${STARTED[@]}"}; do
    kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
  done
  [ "${#FOLDERS[@]}" -eq 0 ] || rm -rf "${FOLDERS[@]}"
}
trap stop_all EXIT

# A port on which nobody listens.
free_port() {
  local port
  while port=$((20000 + RANDOM % 20000)) && (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# Waits until a command succeeds, at most five minutes: a first start compiles the components.
wait_for() {
  local left=1500
  until "$@" >/dev/null 2>&1; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "gave up waiting for: $*"
    sleep 0.2
  done
}

# $1: the profile of the components; edge-test by default.
build_all() {
  say 'building the components and the local host'
  cargo run --quiet --release --package tasks -- functions --profile "${1:-edge-test}"
  cargo build --release --package leaderboard-host
}

# Sets REDIS_URL to that of a server of its own.
start_redis() {
  local port folder
  port="$(free_port)"
  folder="$(mktemp -d)"
  FOLDERS+=("$folder")
  redis-server --port "$port" --bind 127.0.0.1 --dir "$folder" --save '' --maxmemory-policy noeviction \
    --lazyfree-lazy-expire yes >"$folder/log" 2>&1 &
  STARTED+=("$!")
  wait_for redis-cli -p "$port" ping
  REDIS_URL="redis://127.0.0.1:$port"
}

# Starts the host on SQLite, or on the Redis at $1; sets ADDRESS, and HOST_LOG to the file that its log goes to.
start_host() {
  local folder
  folder="$(mktemp -d)"
  FOLDERS+=("$folder")
  HOST_LOG="$folder/log"
  SPIN_VARIABLE_ADMIN_KEY="$KEY" SPIN_VARIABLE_REDIS_URL="${1:-}" \
    "${CARGO_TARGET_DIR:-target}/release/leaderboard-host" --manifest spin.toml --listen 127.0.0.1:0 \
    --state-dir "$folder/state" --cache-dir "${CARGO_TARGET_DIR:-target}/compiled" >"$folder/out" 2>"$HOST_LOG" &
  STARTED+=("$!")
  wait_for grep -q : "$folder/out"
  ADDRESS="http://127.0.0.1:$(sed -n '1s/.*://p' "$folder/out")"
  wait_for curl --silent --fail "$ADDRESS/api/v1/health/ready"
}

# Starts the host on a store by its name; on redis with a server of its own, at REDIS_URL.
start_on() {
  REDIS_URL=''
  case "$1" in
    sqlite) start_host ;;
    redis)
      ensure_redis
      start_redis
      start_host "$REDIS_URL"
      ;;
    *) fail "no such store: $1" ;;
  esac
}
