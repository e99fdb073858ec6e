"""How a command says what went wrong: one line on standard error, with its code."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from ecr_steward.errors import StewardError
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.exit_codes import FAILED

_HAS_A_CODE: Final = re.compile(r"ES[0-9]{3} ")


def refuse(message: str, code: Code) -> NoReturn:
    """End the command. Raises SystemExit."""
    report_text(message, code)
    sys.exit(FAILED)


def report(error: Exception) -> None:
    """Print what ended a command. A traceback comes first where the reason is an error in this program."""
    if isinstance(error, StewardError):
        report_text(str(error), Code.CALL_REFUSED)
    elif type(error).__module__.startswith("botocore."):
        report_text(f"AWS cannot be asked: {reason_of(error)}", Code.CALL_REFUSED)
    elif isinstance(error, ModuleNotFoundError) and error.name == "ecr_steward_sandbox":
        report_text("the sandbox is not installed; it is an extra: uv tool install 'ecr-steward[sandbox]'")
    elif hasattr(error, "format_message"):
        report_text(_usage(error), Code.WRONG_USE)
    elif type(error).__name__ == "Abort":
        report_text("standard input ended before the answer: give --yes, or apply a saved plan", Code.NOT_CONFIRMED)
    else:
        import traceback  # noqa: PLC0415 - rarely needed, and a command starts without it

        traceback.print_exception(error)
        report_text(
            f"{type(error).__name__}: {error}. This is an error in ecr-steward; please report it with the lines above",
            Code.OWN_ERROR,
        )


def reason_of(error: Exception) -> str:
    """What botocore says went wrong; of an answer that is not AWS's, that and not its bytes."""
    if type(error).__name__ == "ResponseParserError":
        return "what answers at this endpoint is not this service of AWS"
    return str(error)


def report_text(message: str, code: Code = Code.SANDBOX) -> None:
    """Print an error in one line. A message may bring its own code along."""
    message = " ".join(message.split())
    sys.stderr.write(f"Error: {message if _HAS_A_CODE.match(message) else f'{code} {message}'}\n")


@contextmanager
def told() -> Iterator[None]:
    """Refuse with the reason what the steward's parts raise on purpose."""
    try:
        yield
    except StewardError as error:
        refuse(str(error), Code.CALL_REFUSED)


def _usage(error: Any) -> str:
    """What typer's parser did not take, and where the right words are."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "ecr-steward"
    said = str(error.format_message()).rstrip(".") or "name a command"
    return f"{said}; see {command} --help"
