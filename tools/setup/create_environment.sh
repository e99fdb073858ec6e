#!/usr/bin/env bash
# create_environment.sh FOLDER REQUIREMENTS: a virtual environment of Python 3.13 with exactly these hashed pins.
set -euo pipefail
folder=$1 requirements=$2

if ! "$folder/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
  rm -rf "$folder"
  .tools/uv/bin/uv venv --quiet --no-project --python "$("$(dirname "$0")/find_python.sh" || echo 3.13)" "$folder"
fi
.tools/uv/bin/uv pip sync --quiet --python "$folder/bin/python" --require-hashes "$requirements"
