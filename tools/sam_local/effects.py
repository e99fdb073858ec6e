"""What a function must have done to the registries and queues of the sandbox: their states before and after."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

HOME, ABROAD = "us-east-1", "eu-west-1"
REPOSITORY = "team-a/api"

type Images = Mapping[str, frozenset[str]]
"""The image tags of each digest."""


@dataclass(frozen=True)
class RepositoryState:
    """One repository, as the ECR API shows it."""

    images: Images
    policy: str | None
    lifecycle: str | None
    mutability: str
    scan_on_push: bool
    resource_tags: Mapping[str, str]

    @property
    def missing_settings(self) -> list[str]:
        """Which settings of the shipped rulebook are not there."""
        wanted = {
            "a repository policy": self.policy is not None,
            "a lifecycle policy": self.lifecycle is not None,
            "immutable image tags except aliases": self.mutability == "IMMUTABLE_WITH_EXCLUSION",
            "scanning on push": self.scan_on_push,
            "the resource tag managed-by": self.resource_tags.get("managed-by") == "ecr-steward",
        }
        return [setting for setting, is_there in wanted.items() if not is_there]

    def tags_of(self, digest: str) -> frozenset[str]:
        return self.images.get(digest, frozenset())


@dataclass(frozen=True)
class State:
    """What the sandbox holds: repositories by region and name, and the events on the failure queue."""

    repositories: Mapping[tuple[str, str], RepositoryState]
    failures: frozenset[str] = frozenset()
    """Bodies of messages."""


@dataclass(frozen=True)
class Seen:
    """One invocation: before, after, and the images that were there, the event's own first."""

    before: State
    after: State
    digests: tuple[str, ...] = field(default=())

    @property
    def new_failures(self) -> frozenset[str]:
        return self.after.failures - self.before.failures

    @property
    def home(self) -> RepositoryState | None:
        return self.after.repositories.get((HOME, REPOSITORY))

    @property
    def abroad(self) -> RepositoryState | None:
        return self.after.repositories.get((ABROAD, REPOSITORY))


type Effect = Callable[[Seen], Iterator[str]]
"""Yields what is not as it must be, one sentence each; its docstring says what must be."""


def aliases_follow(seen: Seen) -> Iterator[str]:
    """the aliases 1.4-latest and 1-latest point to the pushed image"""
    tags = seen.home.tags_of(seen.digests[0]) if seen.home else frozenset()
    if tags != {"1.4.2", "1.4-latest", "1-latest"}:
        yield f"the image has the tags {sorted(tags)}"
    yield from nothing_failed(seen)


def image_is_quarantined(seen: Seen) -> Iterator[str]:
    """the image is reachable under a quarantine tag, and no longer as latest"""
    tags = seen.home.tags_of(seen.digests[0]) if seen.home else frozenset()
    if not tags or any(not tag.startswith("quarantine-") for tag in tags):
        yield f"the image has the tags {sorted(tags)}"
    yield from nothing_failed(seen)


def settings_follow(seen: Seen) -> Iterator[str]:
    """the repository has the settings of the rulebook"""
    yield from _settings(seen.home, HOME)
    yield from nothing_failed(seen)


def replica_is_complete(seen: Seen) -> Iterator[str]:
    """the other region holds the image with all it consists of, its tags, and the settings of the rulebook"""
    yield from _replica(seen)
    yield from nothing_failed(seen)


def replica_is_complete_and_poison_kept(seen: Seen) -> Iterator[str]:
    """the good message is copied, and the bad one is where a person finds it"""
    yield from _replica(seen)
    yield from _one_failure(seen)


def all_is_reconciled(seen: Seen) -> Iterator[str]:
    """aliases, settings and replica are there, which no event had asked for"""
    tags = seen.home.tags_of(seen.digests[0]) if seen.home else frozenset()
    if not {"1.4-latest", "1-latest"} <= tags:
        yield f"the image has the tags {sorted(tags)}"
    yield from _settings(seen.home, HOME)
    yield from _replica(seen)
    yield from nothing_failed(seen)


def nothing_changes(seen: Seen) -> Iterator[str]:
    """nothing changes"""
    if seen.before != seen.after:
        yield f"the registries were {seen.before} and are {seen.after}"


def event_is_kept(seen: Seen) -> Iterator[str]:
    """nothing changes, and the event is on the failure queue with the reason"""
    if seen.before.repositories != seen.after.repositories:
        yield f"the registries were {seen.before.repositories} and are {seen.after.repositories}"
    yield from _one_failure(seen)


def nothing_failed(seen: Seen) -> Iterator[str]:
    """no event is put on the failure queue"""
    for body in seen.new_failures:
        yield f"the failure queue holds {body}"


def _one_failure(seen: Seen) -> Iterator[str]:
    if len(seen.new_failures) != 1:
        yield f"the failure queue got {len(seen.new_failures)} events, not one"
    for body in seen.new_failures:
        failed = json.loads(body)
        for part in ("event", "error", "message", "function"):
            if not failed.get(part):
                yield f"the failure queue does not say the {part}: {body}"


def _settings(repository: RepositoryState | None, region: str) -> Iterator[str]:
    if repository is None:
        yield f"{region} has no repository {REPOSITORY}"
        return
    for setting in repository.missing_settings:
        yield f"{region}: the repository {REPOSITORY} has not {setting}"


def _replica(seen: Seen) -> Iterator[str]:
    yield from _settings(seen.abroad, ABROAD)
    held = seen.abroad.images if seen.abroad else {}
    for digest in seen.digests:
        if digest not in held:
            yield f"{ABROAD} lacks {digest}"
    if "1.4.2" not in held.get(seen.digests[0], ()):
        yield f"{ABROAD} lacks the tag 1.4.2"
