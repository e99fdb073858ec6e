#!/usr/bin/env bash
# Put the pinned uv into .tools/uv. Any uv or any Python 3.13 on this machine may fetch it; from then on only the pinned one is used.
set -euo pipefail
here=$(dirname "$0")

rm -rf .tools/uv
if uv --version >/dev/null 2>&1; then
  uv venv --quiet --no-project --python "$("$here/find_python.sh" || echo 3.13)" .tools/uv
  uv pip install --quiet --python .tools/uv/bin/python --require-hashes -r requirements/uv.txt
elif python=$("$here/find_python.sh"); then
  "$python" -m venv .tools/uv
  .tools/uv/bin/python -m pip install --quiet --require-hashes -r requirements/uv.txt
else
  echo "No Python 3.13 and no uv found. Install one of them: python3.13 with its venv module" \
    "(Debian, Ubuntu: apt-get install python3.13-venv), or uv, which fetches a Python by itself." >&2
  exit 1
fi
