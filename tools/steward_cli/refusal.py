"""How a command refuses: one line on standard error that says what is wrong, and the exit code for wrong use."""

import sys
from typing import NoReturn

from ecr_steward.rulebook.codes import Code
from steward_cli.main import USAGE


def refuse(message: str, code: Code) -> NoReturn:
    """End the command. Raises SystemExit."""
    sys.stderr.write(f"Error: {code} {message}\n")
    sys.exit(USAGE)
