"""The acts, in their order. Each is a title, a sentence about it, and a function that plays it on a stage."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.demo.acts import (
    accounts,
    credentials,
    governance,
    image_tags,
    quarantine,
    replay,
    replication,
    scans,
    sweep,
    waiver,
)
from sandbox.demo.stage import Stage


@dataclass(frozen=True)
class Act:
    """One act of the story."""

    title: str
    about: str
    play: Callable[[Stage], None]


ACTS = (
    Act(governance.TITLE, governance.ABOUT, governance.play),
    Act(image_tags.TITLE, image_tags.ABOUT, image_tags.play),
    Act(replication.TITLE, replication.ABOUT, replication.play),
    Act(quarantine.TITLE, quarantine.ABOUT, quarantine.play),
    Act(replay.TITLE, replay.ABOUT, replay.play),
    Act(sweep.TITLE, sweep.ABOUT, sweep.play),
    Act(credentials.TITLE, credentials.ABOUT, credentials.play),
    Act(scans.TITLE, scans.ABOUT, scans.play),
    Act(waiver.TITLE, waiver.ABOUT, waiver.play),
    Act(accounts.TITLE, accounts.ABOUT, accounts.play),
)
