"""What a run cannot wait for: later commands that read its journal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

from real_account.beliefs import Belief, Observation
from real_account.run import Run
from real_account.step import Step
from real_account.steps import logins, scans


def _pull(name: str, belief: Belief, after: timedelta) -> Step:
    def do(run: Run) -> Iterator[Observation]:
        yield logins.pull_later(run, belief, after)

    return Step(
        name=f"03-logins-{name}",
        title=f"The login of the first run after {name}",
        how="pulls again with the login that the first run kept",
        makes="nothing",
        dollars=0.0,
        budget=timedelta(minutes=2),
        beliefs=(belief,),
        do=do,
    )


LATER: Final[Mapping[str, Step]] = {
    "6h": _pull("6h", logins.AFTER_6_HOURS, timedelta(hours=6)),
    "11h": _pull("11h", logins.AFTER_11_HOURS, timedelta(hours=11)),
    "expired-scan": Step(
        name="08-scans-expired",
        title="The scanned image of the first run after Inspector's re-scan duration",
        how="asks for the findings of the image that the first run kept",
        makes="nothing",
        dollars=0.0,
        budget=timedelta(minutes=2),
        beliefs=(scans.EXPIRED,),
        do=scans.expired,
        only_on_aws=scans.NO_SCANS,
    ),
}
"""By what `--later` names."""
