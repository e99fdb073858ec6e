"""The acts, in their order. Each is a title, a sentence about it, and a function that plays it on a stage."""

from collections.abc import Callable
from dataclasses import dataclass

from ecr_steward_sandbox.demo.acts import (
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
from ecr_steward_sandbox.demo.stage import Stage


@dataclass(frozen=True)
class Act:
    """One act of the story."""

    title: str
    about: str
    play: Callable[[Stage], None]
    builds_on: tuple[int, ...] = ()
    """Numbers of earlier acts that leave behind what this one needs."""


ACTS = (
    Act(governance.TITLE, governance.ABOUT, governance.play),
    Act(image_tags.TITLE, image_tags.ABOUT, image_tags.play, builds_on=(1,)),
    Act(replication.TITLE, replication.ABOUT, replication.play, builds_on=(2,)),
    Act(quarantine.TITLE, quarantine.ABOUT, quarantine.play, builds_on=(3,)),
    Act(replay.TITLE, replay.ABOUT, replay.play, builds_on=(4,)),
    Act(sweep.TITLE, sweep.ABOUT, sweep.play, builds_on=(5,)),
    Act(credentials.TITLE, credentials.ABOUT, credentials.play, builds_on=(2,)),
    Act(scans.TITLE, scans.ABOUT, scans.play),
    Act(waiver.TITLE, waiver.ABOUT, waiver.play),
    Act(accounts.TITLE, accounts.ABOUT, accounts.play, builds_on=(8,)),
)
