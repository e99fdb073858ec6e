"""How a command refuses: one line on standard error that says what is wrong, and the exit code for wrong use."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from ecr_steward.errors import StewardError
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.exit_codes import USAGE


def refuse(message: str, code: Code) -> NoReturn:
    """End the command. Raises SystemExit."""
    sys.stderr.write(f"Error: {code} {message}\n")
    sys.exit(USAGE)


@contextmanager
def told() -> Iterator[None]:
    """Refuse with the reason what the steward's parts raise on purpose."""
    try:
        yield
    except StewardError as error:
        refuse(str(error), Code.CALL_REFUSED)
