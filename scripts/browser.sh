# shellcheck shell=bash
# Sourced by scripts that look at pages in a real browser: Chromium, driven by playwright-core.

PLAYWRIGHT=1.65.1
CHROMIUM="${CHROMIUM:-chromium}"
BROWSER_TOOLS=target/see-docs

# Installs what drives the browser, and the browser where apt can.
ensure_browser() {
  has "$CHROMIUM" || apt_install chromium || fail 'Chromium is needed; name it in CHROMIUM'
  has npm || fail 'npm is needed: install Node.js'
  if [ ! -d "$BROWSER_TOOLS/node_modules/playwright-core" ]; then
    mkdir -p "$BROWSER_TOOLS"
    say "installing playwright-core $PLAYWRIGHT into $BROWSER_TOOLS"
    npm install --silent --no-save --prefix "$BROWSER_TOOLS" "playwright-core@$PLAYWRIGHT" >/dev/null 2>&1
  fi
}

# $1: a script for node, which gets the path of the browser and then the other arguments.
browse() {
  local script="$1"
  shift
  NODE_PATH="$PWD/$BROWSER_TOOLS/node_modules" node "$script" "$(command -v "$CHROMIUM")" "$@"
}
