#!/usr/bin/env bash
# Lints and tests the Python project in training/, in an environment of its own under .cache/. Installs PyTorch: large.
# Usage: scripts/test-training.sh <report.xml>. Exit status 69 where it cannot be had here: no Python 3.11, no package index.

set -uo pipefail
report="$(realpath -m "$1")"
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
environment="$PWD/.cache/training"

python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || exit 69
python3 -m venv "$environment" || exit 69
"$environment/bin/pip" install --quiet --quiet --disable-pip-version-check --editable './training[test]' || exit 69

cd training || exit 1
"$environment/bin/ruff" format --check . && "$environment/bin/ruff" check . || exit 1
exec "$environment/bin/python" -m pytest --quiet --disable-warnings --junitxml="$report"
