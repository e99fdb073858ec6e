"""The exit codes of the command, and which command may end with which."""

from typing import Final

DONE: Final = 0
FAILED: Final = 1
"""A finding or an error: what was looked at is not as it should be, a call failed, or the command was used wrongly."""
CHANGES: Final = 2
"""Of ``plan --detailed-exitcode`` alone, and only where nothing failed: there are changes to apply."""
SKIPPED: Final = 3
"""Of ``copy`` alone: ``--no-clobber`` left an image tag where it was."""
INTERRUPTED: Final = 130
"""Ctrl-C, as a shell reports it: 128 and the number of the signal."""
SUMMARY: Final = (
    "Exit codes: 0 done, 1 a finding or an error, 2 changes (plan --detailed-exitcode), 3 skipped (copy --no-clobber), "
    "130 interrupted."
)
_OF_ONE_COMMAND: Final = {CHANGES: "plan", SKIPPED: "copy"}


def settled(command: str, code: int) -> int:
    """The exit code of a command: what no reader could expect of it is an error like any other."""
    if code in {DONE, FAILED, INTERRUPTED} or _OF_ONE_COMMAND.get(code) == command:
        return code
    return FAILED
