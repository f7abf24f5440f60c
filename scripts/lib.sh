# shellcheck shell=bash
# Sourced by the scripts: installs missing tools, and runs the task runner in place of the script.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
WASM_TARGET=wasm32-wasip2
REDIS_MAJOR_MIN=7

say() { printf '==> %s\n' "$*" >&2; }
fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

# Installs packages on Debian and its relatives, as root or with sudo that asks for no password; false elsewhere.
apt_install() {
  has apt-get || return 1
  local -a as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    sudo -n true >/dev/null 2>&1 || return 1
    as_root=(sudo -n)
  fi
  say "installing $*"
  "${as_root[@]}" apt-get update -qq >&2 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# rustc links with it, SQLite and Wasmtime have parts in C.
ensure_c_compiler() {
  has "${CC:-cc}" && return
  apt_install gcc libc6-dev && return
  if [ "$(uname -s)" = Darwin ]; then
    fail 'a C compiler is needed: xcode-select --install'
  fi
  fail 'a C compiler is needed: install gcc or clang with the headers of the C library'
}

# The value of `key = "value"` in a TOML file.
toml_value() { sed -n "s/^$1 *= *\"\(.*\)\".*/\1/p" "$2"; }

# The toolchain of rust-toolchain.toml, also where rustup is told not to install by itself.
ensure_rust() {
  has cargo || PATH="$HOME/.cargo/bin:$PATH"
  has cargo || fail 'Rust is needed: https://rustup.rs'
  if has rustup; then
    ensure_toolchain
  fi
  [ -d "$(rustc --print sysroot)/lib/rustlib/$WASM_TARGET" ] || add_to_toolchain target "$WASM_TARGET"
  cargo fmt --version >/dev/null 2>&1 || add_to_toolchain component rustfmt
  cargo clippy --version >/dev/null 2>&1 || add_to_toolchain component clippy
}

ensure_toolchain() {
  local channel wanted found
  channel="$(toml_value channel rust-toolchain.toml)"
  if ! rustc --version >/dev/null 2>&1; then
    say "installing Rust ($channel)"
    rustup toolchain install "$channel" --no-self-update --profile minimal --component rustfmt --component clippy \
      --target "$WASM_TARGET" >&2
  fi
  wanted="$(toml_value rust-version Cargo.toml)"
  found="$(rustc --version | cut -d ' ' -f 2)"
  if [ "$(printf '%s\n' "$wanted" "$found" | sort -V | head -n 1)" != "$wanted" ]; then
    say "Rust $found is older than $wanted: updating $channel"
    rustup update "$channel" --no-self-update >&2
  fi
}

# $1: target or component, $2: its name
add_to_toolchain() {
  has rustup || fail "Rust's $1 $2 is needed; this Rust is not rustup's, install it the way Rust came"
  say "adding the $1 $2"
  rustup "$1" add "$2" >&2
}

redis_major() { redis-server --version 2>/dev/null | sed -n 's/.* v=\([0-9]*\)\..*/\1/p'; }

# The tests start servers of their own.
ensure_redis() {
  local major
  if ! has redis-server && apt_install redis-server; then
    stop_redis_service
  fi
  if ! has redis-server; then
    if [ "$(uname -s)" = Darwin ]; then
      fail 'the tests need redis-server: brew install redis'
    fi
    fail "the tests need redis-server $REDIS_MAJOR_MIN.0 or newer on the PATH: install Redis"
  fi
  major="$(redis_major)"
  [ "${major:-0}" -ge "$REDIS_MAJOR_MIN" ] ||
    fail "the tests need redis-server $REDIS_MAJOR_MIN.0 or newer, the PATH has $(redis-server --version)"
}

# Debian starts a server when it installs one. The tests start their own servers, so this one is stopped.
stop_redis_service() {
  local -a as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo -n)
  if [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --now redis-server >&2 || true
  elif has service; then
    "${as_root[@]}" service redis-server stop >&2 || true
  fi
}

# The load generator, compiled on the first use into a folder of this project.
ensure_oha() {
  PATH="$ROOT/target/tools/bin:$PATH"
  has oha && return
  say 'installing oha, the load generator, into target/tools (once, some minutes)'
  cargo install oha --locked --root target/tools ||
    fail 'scripts/bench needs oha: put it on the PATH (https://github.com/hatoo/oha), or see above why cargo could not install it'
}

# Becomes the task runner, in the root of the project. In CI the lock file must fit as it is.
become_task() {
  local -a build=(--release --package tasks)
  [ -z "${CI:-}" ] || build+=(--locked)
  [ ! -x "${CARGO_TARGET_DIR:-target}/release/tasks" ] || build+=(--quiet)
  exec cargo run "${build[@]}" -- "$@"
}

export EDGEBOARD_CALLED_FROM="$PWD"
cd "$ROOT" || exit
