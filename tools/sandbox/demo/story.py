"""Plays the acts in their order. The first claim that does not hold ends the story, in its act."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from ecr_steward.errors import StewardError
from sandbox.demo.acts import ACTS
from sandbox.demo.stage import CheckFailedError, Stage

type Interference = Callable[[Stage], None]


@dataclass(frozen=True)
class Ending:
    """How the story ended."""

    checks: int
    failed_act: int | None = None
    why: str | None = None


def play(stage: Stage, interfere: Mapping[int, Interference] | None = None) -> Ending:
    """Play the story. ``interfere`` does something just before an act, for tests that break one."""
    began = time.monotonic()
    for number, act in enumerate(ACTS, start=1):
        stage.narrator.opened(number, act.title, act.about)
        start = time.monotonic()
        try:
            (interfere or {}).get(number, _leave_alone)(stage)
            act.play(stage)
            stage.require_silence()
        except (CheckFailedError, StewardError, BotoCoreError, ClientError, TimeoutError) as error:
            why = str(error) if isinstance(error, CheckFailedError) else f"{type(error).__name__}: {error}"
            stage.narrator.failed(number, why)
            return Ending(stage.checks, number, why)
        stage.close()
        stage.narrator.closed(time.monotonic() - start)
    stage.narrator.ended(len(ACTS), stage.checks, time.monotonic() - began)
    return Ending(stage.checks)


def _leave_alone(_: Stage) -> None:
    pass
