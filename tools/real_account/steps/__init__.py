"""The steps of a run, in their order: what waits comes last, and the stack goes after all that need it."""

from __future__ import annotations

from typing import Final

from real_account.step import Step
from real_account.steps import (
    deploying,
    keys,
    leaving,
    logins,
    notices,
    push_events,
    registry_settings,
    scans,
    suites,
    throttling,
    transfer,
)

STEPS: Final[tuple[Step, ...]] = (
    logins.STEP,  # first, because what comes after an hour waits for it
    deploying.STEP,
    notices.STEP,
    registry_settings.STEP,
    keys.STEP,
    push_events.STEP,
    scans.STEP,
    transfer.STEP,
    leaving.STEP,
    throttling.STEP,
    logins.AFTER,
    suites.STEP,  # last, because replication may take what is left of two hours
)
