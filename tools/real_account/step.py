"""A step of a run, and how one is played: whatever it raises becomes a verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from real_account.beliefs import Belief, Finding, Observation, Verdict, judge, without_observation
from real_account.run import Run


class NotLookedAtError(Exception):
    """Why a step leaves what it has not observed yet."""


@dataclass(frozen=True)
class Step:
    """Beliefs that are tried together. `do` yields each observation as it is made."""

    name: str
    title: str
    how: str
    makes: str
    dollars: float
    budget: timedelta
    beliefs: tuple[Belief, ...]
    do: Callable[[Run], Iterator[Observation]]
    only_on_aws: str = ""
    """Why only AWS can play it, where that is so."""
    kept: tuple[str, ...] = ()
    """Names, without prefix, of what the later commands need."""


def play(step: Step, run: Run) -> Iterator[Finding]:
    """Try the beliefs of a step within its budget and the run's. KeyboardInterrupt alone gets out."""
    found: list[Finding] = []
    if step.only_on_aws and not run.on_aws:
        why = f"not in the sandbox: {step.only_on_aws}"
        yield from without_observation(step.beliefs, found, Verdict.NOT_LOOKED_AT, why)
        return
    of_the_run = run.pace.deadline
    run.pace.deadline = min(of_the_run, run.pace.now() + step.budget)
    verdict, why = Verdict.NOT_TRIED, "the step ended before"
    try:
        run.pace.seconds_left()
        for observation in step.do(run):
            found.append(judge(observation))
            yield found[-1]
    except NotLookedAtError as error:
        verdict, why = Verdict.NOT_LOOKED_AT, str(error)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
    finally:
        run.pace.deadline = of_the_run
    yield from without_observation(step.beliefs, found, verdict, why)
