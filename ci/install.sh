#!/usr/bin/env bash
# Install the tool of this very commit into an environment of its own; every package is one whose hash stands here.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11) and "smsdeclare needs Python 3.11 or later.")'
python3 -m venv "$1"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
"$1/bin/python" -m pip install --quiet --require-hashes --only-binary :all: \
  -r "$here/requirements.lock" -r "$here/build.lock"
"$1/bin/python" -m pip install --quiet --no-deps --no-index --no-build-isolation "$(dirname "$here")"
"$1/bin/smsdeclare" version
