"""Which version of a client a test has driven, so that a row of the matrix is known by more than its name."""

from __future__ import annotations

import subprocess
from pathlib import Path


def version_of(program: Path) -> str:
    """Debian's version of the package that the program is from, else what it says of itself.

    Not the other way round: cosign as Debian builds it calls itself `devel`.
    """
    package = _first_line("dpkg-query", "--search", str(program.resolve())).partition(":")[0]
    if package:
        return f"{package} {_first_line('dpkg-query', '--show', '--showformat', '${Version}', package)}"
    return _first_line(str(program), "--version")


def _first_line(*command: str) -> str:
    """Of what it writes; nothing when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.stdout.partition("\n")[0] if done.returncode == 0 else ""
