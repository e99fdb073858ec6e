#!/usr/bin/env bash
# create_environment.sh FOLDER REQUIREMENTS [VERSION]: a virtual environment of that Python (3.13) with exactly these hashed pins.
set -euo pipefail
folder=$1 requirements=$2 version=${3:-3.13}

if ! "$folder/bin/python" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' "$version" 2>/dev/null; then
  rm -rf "$folder"
  .tools/uv/bin/uv venv --quiet --no-project --python "$("$(dirname "$0")/find_python.sh" "$version" || echo "$version")" "$folder"
fi
# Compiled once here, not by each program that starts: where PYTHONDONTWRITEBYTECODE is set, by every single one.
.tools/uv/bin/uv pip sync --quiet --compile-bytecode --python "$folder/bin/python" --require-hashes "$requirements"
