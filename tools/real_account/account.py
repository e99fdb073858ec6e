"""Which account a run is for: the one that was named, has these credentials, and was typed once more."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class RefusedError(Exception):
    """Why nothing was done, and what to do."""


def check_named(account: str, region: str) -> None:
    """Raises RefusedError where the account or the region is not given."""
    if not re.fullmatch(r"\d{12}", account):
        raise RefusedError(
            "name the account by its twelve digits: make real-account ACCOUNT=111122223333 REGION=us-east-1"
        )
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise RefusedError("name the region: make real-account ACCOUNT=111122223333 REGION=us-east-1")


def check_credentials(account: str, sts: Any) -> str:
    """The ARN of the caller. Needs no action. Raises RefusedError where it is another account's, or none."""
    try:
        caller = sts.get_caller_identity()
    except (BotoCoreError, ClientError) as cause:
        raise RefusedError(f"these credentials have no account: {cause}") from cause
    if caller["Account"] != account:
        raise RefusedError(f"these credentials are of account {caller['Account']}, not of {account}")
    return str(caller["Arn"])


def confirm(account: str, ask: Callable[[str], str]) -> None:
    """Have the account id typed once more. Raises RefusedError where it is not."""
    try:
        typed = ask("Type the account id to go on: ").strip()
    except EOFError:
        typed = ""
    if typed != account:
        raise RefusedError("not confirmed: nothing was made")
