#!/usr/bin/env bash
# Print the path of a Python 3.13 that can make virtual environments; exit 1 where there is none.
# A name on the PATH proves nothing: it may be a version manager's shim, or a Debian python without python3-venv. So each is run.
set -euo pipefail

probe='import sys, venv, ensurepip
if sys.version_info[:2] == (3, 13):
    print(sys._base_executable)  # not an activated .venv, which `make clean` would take away'

for candidate in python3.13 /usr/bin/python3.13 python3 python; do
  if found=$("$candidate" -c "$probe" 2>/dev/null) && [ -n "$found" ]; then
    echo "$found"
    exit 0
  fi
done
exit 1
