"""What every act works with: the sandbox, the image, the users of two regions, and a way to claim something."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.demo.client import User
from sandbox.demo.layout import Layout, Release, release
from sandbox.demo.narrator import Narrator
from sandbox.function_logs import job_name
from sandbox.sandbox import Sandbox

HOME, AWAY = "us-east-1", "eu-west-1"
REPOSITORY = "team-a/api"
SETTLED_WITHIN = 120.0
"""Seconds that the sandbox may take to come to rest after a push; a user's image may be large."""


class CheckFailedError(Exception):
    """A claim of the story that does not hold."""


@dataclass
class Stage:
    """The story so far."""

    sandbox: Sandbox
    layout: Layout
    narrator: Narrator
    releases: dict[str, Release] = field(default_factory=dict)
    told: int = 0
    """Invocations that the acts before have spoken of, or passed over."""
    checks: int = 0

    def __post_init__(self) -> None:
        self.home = User(self.sandbox, HOME)
        self.away = User(self.sandbox, AWAY)

    def release(self, version: str) -> Release:
        """The image as this version; the same one each time."""
        if version not in self.releases:
            self.releases[version] = release(self.layout, version)
        return self.releases[version]

    def push(self, version: str, repository: str, image_tag: str) -> Release:
        """Push a version of the image as somebody at home would, and say so."""
        pushed = self.release(version)
        self.narrator.did(
            f"push {repository}:{image_tag}",
            f"{_count(len(pushed.children), 'manifest')} under {pushed.index.digest}, with an SBOM that refers to it",
        )
        self.home.push(self.layout, pushed, repository, image_tag)
        return pushed

    def settle(self) -> None:
        """Wait until every event and message has been answered."""
        self.sandbox.wait_until_idle(timeout=SETTLED_WITHIN)

    def tell(self, *functions: str) -> None:
        """Tell which of these functions ran since the last ``close``, and what they planned."""
        ran = self.sandbox.invocations[self.told :]
        self.narrator.ran([each for each in ran if job_name(each.function) in functions])

    def tell_from_the_start(self, function: str, repository: str) -> None:
        """Tell all that one function has done so far for a repository, for the act that is about it."""
        ran = [each for each in self.sandbox.invocations if job_name(each.function) == function]
        self.narrator.ran([each for each in ran if f"/{repository}@" in each.log])

    def require_silence(self) -> None:
        """After an act nothing may have been lost on its way, and no function may have failed."""
        self.settle()
        lost = [f"{each.source} to {each.target}: {each.error_message}" for each in self.sandbox.lost]
        self.require("no event was lost on its way", not lost, lost)
        failed = [f"{each.function}: {each.payload}" for each in self.sandbox.invocations if each.outcome != "ok"]
        self.require("no function failed", not failed, failed)

    def close(self) -> None:
        """End an act: the next one speaks of what runs from now on."""
        self.told = len(self.sandbox.invocations)

    def check(self, claim: str, holds: object, found: object = None) -> None:
        """Claim something. Raises CheckFailedError with what was found instead."""
        self.checks += 1
        self.narrator.claimed(claim, bool(holds))
        self.require(claim, holds, found)

    def require(self, claim: str, holds: object, found: object = None) -> None:
        """A claim that is only told where it does not hold."""
        if not holds:
            raise CheckFailedError(claim if found is None else f"{claim}; found {found}")

    def check_equal(self, claim: str, actual: object, expected: object) -> None:
        """Claim that something is as expected."""
        self.check(claim, actual == expected, f"{actual!r} instead of {expected!r}")

    def mutating_calls_since(self, mark: tuple[int, int], services: Iterable[str]) -> list[str]:
        """The calls that change something, of these services, that anybody made since a mark."""
        of_ecr, of_others = mark
        calls = [*self.sandbox.local_ecr.requests.since(of_ecr), *self.sandbox.requests.since(of_others)]
        return [f"{call.service}:{call.operation}" for call in calls if call.mutating and call.service in services]

    def mark(self) -> tuple[int, int]:
        """This moment in both request logs."""
        return self.sandbox.local_ecr.requests.mark(), self.sandbox.requests.mark()

    def physical_id(self, logical_id: str) -> str:
        """The name or ARN that a resource of the template has here."""
        return str(self.sandbox.deployment.resources[logical_id].physical_id)

    def aws(self, service: str) -> Any:
        """A client of any other service, at home."""
        return self.sandbox.client(service, HOME)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
