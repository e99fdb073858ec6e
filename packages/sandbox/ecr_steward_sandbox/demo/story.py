"""Plays the acts in their order. The first claim that does not hold ends the story, in its act."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ecr_steward.errors import StewardError
from ecr_steward_sandbox.demo.acts import ACTS
from ecr_steward_sandbox.demo.stage import CheckFailedError, Stage

type Interference = Callable[[Stage], None]


@dataclass(frozen=True)
class Ending:
    """How the story ended."""

    failed_act: int | None = None
    why: str | None = None


def play(
    stage: Stage, interfere: Mapping[int, Interference] | None = None, *, acts: Collection[int] | None = None
) -> Ending:
    """Play the story. For tests that break an act: ``interfere`` does something just before one, and of ``acts``
    only those are played; see ``leading_to``.
    """
    began = time.monotonic()
    played = [(number, act) for number, act in enumerate(ACTS, start=1) if acts is None or number in acts]
    for number, act in played:
        stage.narrator.opened(number, act.title, act.about)
        start = time.monotonic()
        try:
            (interfere or {}).get(number, _leave_alone)(stage)
            act.play(stage)
            stage.require_silence()
        except (CheckFailedError, StewardError, BotoCoreError, ClientError, TimeoutError) as error:
            why = str(error) if isinstance(error, CheckFailedError) else f"{type(error).__name__}: {error}"
            stage.narrator.failed(number, why)
            return Ending(number, why)
        stage.close()
        stage.narrator.closed(time.monotonic() - start)
    stage.narrator.ended(len(played), stage.checks, time.monotonic() - began)
    return Ending()


def leading_to(act: int) -> set[int]:
    """An act, and those before it without which it cannot be played."""
    return {act}.union(*(leading_to(number) for number in ACTS[act - 1].builds_on))


def _leave_alone(_: Stage) -> None:
    pass
