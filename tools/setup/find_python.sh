#!/usr/bin/env bash
# find_python.sh [VERSION]: print the path of a Python of that version (3.13) that can make virtual environments; exit 1 where there is none.
# A name on the PATH proves nothing: it may be a version manager's shim, or a Debian python without python3-venv. So each is run.
set -euo pipefail
version=${1:-3.13}

probe='import sys, venv, ensurepip
if "%d.%d" % sys.version_info[:2] == sys.argv[1]:
    print(sys._base_executable)  # not an activated .venv, which `make clean` would take away'

for candidate in "python$version" "/usr/bin/python$version" python3 python; do
  if found=$("$candidate" -c "$probe" "$version" 2>/dev/null) && [ -n "$found" ]; then
    echo "$found"
    exit 0
  fi
done
exit 1
