"""The command ``ecr-steward``.

Exit codes: 0 clean, 1 findings, 2 wrong use or an error of our own. Only what a call needs is imported: ``--version``,
``copy``, and ``validate`` without options, answer before the argument parser of the others is there.
"""

# ruff: noqa: PLC0415 - see above

import gc
import os
import sys
from collections.abc import Callable
from typing import NoReturn

from ecr_steward_cli.exit_codes import USAGE
from ecr_steward_cli.version import version_text


def main() -> None:
    """Run the command with this process's arguments, and exit."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{version_text()}\n")
        return
    # Looking for plugins of pydantic reads the metadata of every package that is installed; there are none of ours.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(100_000, 20, 100)  # importing makes many objects and next to no garbage
    try:
        _command_of(sys.argv[1:])()
    except ModuleNotFoundError as missing:
        if missing.name != "ecr_steward_sandbox":
            _crash()
        sys.stderr.write(
            "Error: the sandbox is not installed; it is an extra: uv tool install 'ecr-steward[sandbox]'\n"
        )
        sys.exit(USAGE)
    except Exception:  # an error of our own is no finding
        _crash()


def _crash() -> NoReturn:
    import traceback

    traceback.print_exc()
    sys.exit(USAGE)


def _command_of(arguments: list[str]) -> Callable[[], object]:
    """What does the work: without the argument parser of all commands, which takes long to import, where that goes."""
    command, *files = arguments or [""]
    if command == "validate" and not any(file.startswith("-") for file in files):
        from pathlib import Path

        from ecr_steward_cli.validating import validate

        return lambda: sys.exit(validate([Path(file) for file in files]))
    if command == "copy":
        from ecr_steward_cli.copying.arguments import run

        return lambda: sys.exit(run(files))
    from ecr_steward_cli.app import app

    return app
