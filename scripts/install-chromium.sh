#!/usr/bin/env bash
# Sees to a Chromium or Chrome that runs: finds one, or installs Debian's. Exit status 69 where neither is possible.

set -uo pipefail
for name in chromium chromium-browser google-chrome google-chrome-stable; do
  # Ubuntu has a program of this name that only says what to install.
  command -v "$name" && "$name" --version && exit 0
done
[ -n "${CHROME_PATH:-}" ] && exit 0
command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ] || exit 69
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet=2 && apt-get install --quiet=2 --yes --no-install-recommends chromium >/dev/null || exit 69
command -v chromium && chromium --version || exit 69
