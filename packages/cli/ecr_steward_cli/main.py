"""The command ``ecr-steward``.

However a command ends, here it becomes an exit code, and an error one line with a code. Only what a call needs is
imported: ``--version``, ``copy``, and ``validate`` without options, answer before the argument parser of the others is
there.
"""

# ruff: noqa: PLC0415 - see above

import gc
import os
import sys
from collections.abc import Callable, Sequence

from ecr_steward_cli.exit_codes import DONE, FAILED, INTERRUPTED, settled
from ecr_steward_cli.version import version_text


def main() -> None:
    """Run the command with this process's arguments, and exit."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        sys.stdout.write(f"{version_text()}\n")
        return
    # Looking for plugins of pydantic reads the metadata of every package that is installed; there are none of ours.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(100_000, 20, 100)  # importing makes many objects and next to no garbage
    if code := settled(arguments[0] if arguments else "", _ended(arguments)):
        sys.exit(code)


def _ended(arguments: Sequence[str]) -> int:
    """Run the command; how it ended."""
    try:
        return _command_of(arguments)() or DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as ended:
        if isinstance(ended.code, str):
            from ecr_steward_cli.refusal import report_text

            report_text(ended.code)
            return FAILED
        return ended.code or DONE
    except Exception as error:
        if isinstance(error.__context__, KeyboardInterrupt):  # at a question, of which typer makes an Abort
            return INTERRUPTED
        from ecr_steward_cli.refusal import report

        report(error)
        return FAILED


def _command_of(arguments: Sequence[str]) -> Callable[[], int | None]:
    """What does the work: without the argument parser of all commands, which takes long to import, where that goes."""
    command, *others = arguments or [""]
    if command == "validate" and not any(each.startswith("-") for each in others):
        from pathlib import Path

        from ecr_steward_cli.validating import validate

        return lambda: validate([Path(each) for each in others])
    if command == "copy":
        from ecr_steward_cli.copying.arguments import run

        return lambda: run(others)
    from ecr_steward_cli.app import app

    return lambda: app(standalone_mode=False)
