"""What every act works with: the sandbox, the image, the users of two regions, and a way to claim something."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import urllib3
import yaml

from ecr_steward.domain.names import Digest
from ecr_steward_sandbox.demo.client import User
from ecr_steward_sandbox.demo.layout import Release, release
from ecr_steward_sandbox.demo.narrator import Narrator
from ecr_steward_sandbox.function_logs import job_name
from ecr_steward_sandbox.oci_layout import Layout
from ecr_steward_sandbox.rulebook_layer import Change, RulebookLayer
from ecr_steward_sandbox.sandbox import Sandbox

HOME, AWAY = "us-east-1", "eu-west-1"
SPOKE = "222233334444"
"""The second account, as the sandbox connects it."""
REPOSITORY = "team-a/api"
SETTLED_WITHIN = 120.0
"""Seconds that the sandbox may take to come to rest after a push; a user's image may be large."""

_FAILURE_QUEUES = (
    "FailureQueue",
    "ReplicateImageDeadLetterQueue",
    "EvaluateImageScanDeadLetterQueue",
    "DeliveryFailureQueue",
)


class CheckFailedError(Exception):
    """A claim of the story that does not hold."""


class ToldVerdict(NamedTuple):
    """What an *Image Verdict* says."""

    verdict: str
    reasons: list[str]
    remarks: list[str]


@dataclass
class Stage:
    """The story so far."""

    sandbox: Sandbox
    layout: Layout
    narrator: Narrator
    folder: Path
    """For files that the story shows."""
    releases: dict[str, Release] = field(default_factory=dict)
    told: int = 0
    """Invocations that the acts before have spoken of, or passed over."""
    heard: int = 0
    """Events that the acts before have passed over."""
    checks: int = 0

    def __post_init__(self) -> None:
        self.home = User(self.sandbox, HOME)
        self.away = User(self.sandbox, AWAY)
        self.spoke = User(self.sandbox, HOME, SPOKE)

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

    def record_scans(self, what: str, repository: str, kind: str, found: Mapping[Digest, list[dict[str, Any]]]) -> None:
        """Let the scanner of ECR say what it found in images. The file that says so is shown.

        There is no scanner here: the sandbox is told what one has found.
        """
        scans: list[dict[str, Any]] = [
            {
                "repository": repository,
                "digest": str(digest),
                "type": kind,
                "status": "COMPLETE" if kind == "BASIC" else "ACTIVE",
                "findings": findings,
            }
            for digest, findings in found.items()
        ]
        file = self.folder / f"scans-of-{repository.replace('/', '-')}.json"
        file.write_text(json.dumps(scans, indent=2))
        self.narrator.did(what, f"{file.name}, which POST /_sandbox/scans takes, says:")
        for findings, alike in groupby(scans, lambda scan: scan["findings"]):
            first, *others = alike
            opening, closing = json.dumps({**first, "findings": []})[:-2], "]}"
            inner = [f"  {json.dumps(finding)}" for finding in findings]
            self.narrator.showed(*([opening, *inner, closing] if inner else [opening + closing]))
            if others:
                self.narrator.showed(f"... and the same of {_count(len(others), 'other')}")
        answer = urllib3.request(
            "POST",
            f"{self.sandbox.endpoint_url}/_sandbox/scans",
            body=file.read_bytes(),
            headers=self.sandbox.control_token.headers,
        )
        self.require("the sandbox took the scans", answer.status < 300, answer.data.decode())

    def deploy_rulebook(self, what: str, added: Mapping[str, Any], change: Change) -> None:
        """Change the rulebook and deploy it. ``added`` is what changes, for people."""
        self.narrator.did(f"{what}, in a copy of the rulebook")
        self.narrator.showed(*yaml.safe_dump(dict(added), sort_keys=False, width=110).splitlines())
        functions = self._rulebook_layer.deploy(change)
        self.narrator.did("deploy it", f"a new version of the Lambda layer, which {functions} functions now use")

    @cached_property
    def _rulebook_layer(self) -> RulebookLayer:
        return RulebookLayer(self.sandbox)

    def verdicts(self, repository: str, digest: str) -> list[ToldVerdict]:
        """The verdicts on an image that were told since the last ``close``."""
        told = [
            each.event["detail"]
            for each in self.sandbox.events[self.heard :]
            if each.event["detail-type"] == "Image Verdict"
        ]
        return [
            ToldVerdict(detail["verdict"], detail["reasons"], detail.get("remarks", []))
            for detail in told
            if (detail["repository-name"], detail["image-digest"]) == (repository, digest)
        ]

    def check_verdict(self, claim: str, repository: str, digest: str, verdict: str) -> ToldVerdict:
        """Claim that one verdict was told of an image since the last ``close``, and that it is this one."""
        told = self.verdicts(repository, digest)
        self.check_equal(claim, [each.verdict for each in told], [verdict])
        return told[0]

    def sweep(self) -> None:
        """Let the schedule of the sweep come due."""
        self.narrator.did("the schedule of reconcile_registry comes due")
        self.sandbox.tick("ReconcileRegistryFunctionSweep")
        self.settle()

    def move_clock(self, by: timedelta, why: str) -> None:
        """Let time pass: schedules come due on the way."""
        hours = by // timedelta(hours=1)
        passed = f"{hours} hours" if hours < 48 else f"{by.days} days"
        self.narrator.did(f"{passed} pass", why)
        self.sandbox.move_clock(by)
        self.settle()

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
        """End an act, or a part of one: the next speaks of what runs from now on."""
        self.told = len(self.sandbox.invocations)
        self.heard = len(self.sandbox.events)

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

    def drain(self, queue: str) -> list[dict[str, Any]]:
        """Read and remove every message of a queue that the template names, as a person who has acted on them."""
        url, found = self.physical_id(queue), []
        while messages := self.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    def check_nothing_is_left(self) -> None:
        """Check that no event has ended in a failure queue."""
        for queue in _FAILURE_QUEUES:
            reply = self.aws("sqs").get_queue_attributes(
                QueueUrl=self.physical_id(queue), AttributeNames=["ApproximateNumberOfMessages"]
            )
            self.check_equal(f"{queue} is empty", reply["Attributes"]["ApproximateNumberOfMessages"], "0")

    def physical_id(self, logical_id: str) -> str:
        """The name or ARN that a resource of the template has here."""
        return str(self.sandbox.deployment.resources[logical_id].physical_id)

    def aws(self, service: str) -> Any:
        """A client of any other service, at home."""
        return self.sandbox.client(service, HOME)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
