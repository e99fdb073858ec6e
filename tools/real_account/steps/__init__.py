"""The steps of a run, in their order."""

from __future__ import annotations

from typing import Final

from real_account.step import Step
from real_account.steps import logins, notices, transfer

STEPS: Final[tuple[Step, ...]] = (
    notices.STEP,
    logins.STEP,
    transfer.STEP,
    logins.AFTER,
)
