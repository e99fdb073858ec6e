"""From what a case gives to a registry in memory, and to what the rules would do there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ecr_steward.adapters.memory import (
    InMemoryImageContent,
    InMemoryNotices,
    InMemoryRegistry,
    InMemoryRegistrySettings,
    InMemoryReplicationQueue,
    InMemoryScans,
    InMemorySightings,
    InMemoryWorkloads,
)
from ecr_steward.adapters.memory.registry import AS_CREATED
from ecr_steward.adapters.memory.state import InMemoryBrakes, InMemoryJournal, InMemorySwitch
from ecr_steward.domain.brake import Brake
from ecr_steward.domain.images import OCI_CONFIG, OCI_MANIFEST, Descriptor, Image, Manifest
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.observations import Push
from ecr_steward.domain.repositories import Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.scans import Finding, ScanStatus, Severity
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import StewardError
from ecr_steward.events.envelope import parse
from ecr_steward.events.image_action import ImageActionEvent
from ecr_steward.events.repository_hint import read_repository_changed
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.moving import Pace
from ecr_steward.usecases.sweep_repository import Hands
from ecr_steward_cli.testing.model import Case, Given, GivenFinding, GivenImage, GivenSettings

_UNBRAKED: Final = Brake(removals=10_000, share=100)
_LAYER: Final = "application/vnd.oci.image.layer.v1.tar+gzip"


class EventError(Exception):
    """An event that a case cannot be made of. ``str(error)`` says why."""


@dataclass(frozen=True)
class Told:
    """What an event says."""

    repository: RepositoryRef
    push: Push | None = None


def read_event(event: str | Mapping[str, Any], folder: Path) -> Told:
    """What an event, or the file of one, says. Raises EventError."""
    try:
        document = json.loads((folder / event).read_text(encoding="utf-8")) if isinstance(event, str) else event
    except (OSError, ValueError, RecursionError) as cause:
        raise EventError(f"the event {event} cannot be read: {cause}") from cause
    try:
        if isinstance(document, Mapping) and document.get("detail-type") == "ECR Image Action":
            push = parse(ImageActionEvent, document).to_push()
            return Told(push.image.repository, push)
        return Told(read_repository_changed(document).repository)
    except StewardError as cause:
        raise EventError(f"this is no event of ECR that says which repository has changed: {cause}") from cause


@dataclass(frozen=True)
class World:
    """The repository of a case, and what looks at it."""

    repository: RepositoryRef
    hands: Hands


def world_of(case: Case, folder: Path) -> World:
    """The world of a case. Raises EventError, and InvalidNameError for names that ECR could not have."""
    given = case.given
    told = read_event(case.event, folder) if case.event is not None else None
    repository = _repository_of(given, told)
    now = partial(_moment, datetime.combine(given.today or datetime.now(UTC).date(), time(12), UTC))
    registry = InMemoryRegistry([Repository(repository, _settings(given))], now=now)
    content = InMemoryImageContent(registry)
    scans = InMemoryScans(registry)
    sightings, workloads = InMemorySightings(now=now), InMemoryWorkloads()
    _Filler(repository, registry, content, scans, sightings, workloads, now).fill(given, told)
    notices, settings = InMemoryNotices(), InMemoryRegistrySettings()
    applier = Applier(
        registry=registry,
        switch=InMemorySwitch(now),
        brakes=InMemoryBrakes(now),
        journal=InMemoryJournal(now),
        notices=notices,
        now=now,
        who="ecr-steward test",
        brake_of=lambda _: _UNBRAKED,
        content=content,
        settings=settings,
        pace=Pace(workers=1, sleep=lambda _: None),
    )
    hands = Hands(
        registry,
        content,
        scans,
        notices,
        InMemoryReplicationQueue(),
        now,
        applier,
        settings,
        homes=(repository.registry,),
        sightings=sightings,
        workloads=workloads,
        is_dry=True,
    )
    return World(repository, hands)


def _moment(now: datetime) -> datetime:
    return now


def _repository_of(given: Given, told: Told | None) -> RepositoryRef:
    if given.repository is not None:
        return RepositoryRef(RegistryRef(given.account, given.region), given.repository)
    assert told is not None  # noqa: S101 - the model asks for one of both
    return told.repository


def _settings(given: Given) -> RepositorySettings:
    settings = given.settings if isinstance(given.settings, GivenSettings) else GivenSettings()
    return replace(
        AS_CREATED,
        mutability=_mutability(settings) or AS_CREATED.mutability,
        scan_on_push=settings.scanning == "on_push",
        policy=settings.policy,
        lifecycle=settings.lifecycle,
        resource_tags=given.resource_tags,
    )


def _mutability(settings: GivenSettings) -> TagMutability | None:
    if (said := settings.mutability) is None:
        return None
    base = Mutability.IMMUTABLE if said.immutable else Mutability.MUTABLE
    mode = Mutability(f"{base.value}_WITH_EXCLUSION") if said.except_ else base
    return TagMutability(mode, frozenset(said.except_))


@dataclass(frozen=True)
class _Filler:
    repository: RepositoryRef
    registry: InMemoryRegistry
    content: InMemoryImageContent
    scans: InMemoryScans
    sightings: InMemorySightings
    workloads: InMemoryWorkloads
    now: Callable[[], datetime]

    def fill(self, given: Given, told: Told | None) -> None:
        images = list(given.images)
        if told and told.push and told.push.image.digest.value not in {image.digest for image in images}:
            tags = (str(told.push.image_tag),) if told.push.image_tag else ()
            images.append(GivenImage(tags=tags, digest=told.push.image.digest.value))
        for number, image in enumerate(images):
            self._hold(image, number)

    def _hold(self, image: GivenImage, number: int) -> None:
        config = _blob(f"config {number}", OCI_CONFIG)
        manifest = _manifest(f"image {number}", image, (config, _blob(f"layer {number}", _LAYER)))
        self.content.hold_labels(config.digest, image.labels)
        self.content.hold(self.repository, manifest)
        ref = ImageRef(self.repository, manifest.digest)
        for artifact_type in image.referrers:
            self.content.hold(self.repository, _referrer(f"{number} {artifact_type}", manifest, artifact_type))
        held = next(each for each in self.registry.images_in(self.repository) if each.ref == ref)
        as_given = self._as_given(held, image)
        self.registry.restore(as_given)
        for tag in as_given.image_tags:  # it came with the push
            self.sightings.restart(self.repository, tag, ref.digest, as_given.pushed_at or self.now())
        self._put_in_use(image, ref)
        if image.scan is not None:
            findings = [_finding(each) for each in image.scan.findings]
            self.scans.end(ref, ScanStatus(image.scan.status), findings)

    def _put_in_use(self, image: GivenImage, ref: ImageRef) -> None:
        used = UsedImage(self.repository, "a case", ref.digest)
        if "ecs" in image.in_use:
            self.workloads.ecs.append(used)
        if "lambda" in image.in_use:
            self.workloads.functions.append(used)
        self.workloads.cover(self.repository, [ref.digest], int("inspector" in image.in_use))

    def _as_given(self, held: Image, image: GivenImage) -> Image:
        return replace(
            held,
            image_tags=frozenset(map(image_tag, image.tags)),
            pushed_at=self.now() - timedelta(days=image.pushed or 0),
            last_pulled_at=self.now() - timedelta(days=image.pulled) if image.pulled else None,
        )


def _finding(given: GivenFinding) -> Finding:
    severity = Severity.__members__.get(given.severity, Severity.UNDEFINED)
    word = None if given.severity == severity.name else given.severity
    return Finding(given.name, severity, severity_word=word, is_suppressed=given.suppressed)


def _manifest(name: str, image: GivenImage, blobs: tuple[Descriptor, ...]) -> Manifest:
    content = json.dumps([name, [blob.digest.value for blob in blobs], image.annotations]).encode()
    digest = Digest(image.digest) if image.digest else _digest(content)
    return Manifest(Descriptor(OCI_MANIFEST, digest, len(content)), content, blobs, annotations=dict(image.annotations))


def _referrer(name: str, subject: Manifest, artifact_type: str) -> Manifest:
    blobs = (_blob(f"referrer {name}", _LAYER),)
    content = json.dumps([name, subject.digest.value]).encode()
    descriptor = Descriptor(OCI_MANIFEST, _digest(content), len(content), artifact_type=artifact_type)
    return Manifest(descriptor, content, blobs, subject=subject.descriptor)


def _blob(name: str, media_type: str) -> Descriptor:
    return Descriptor(media_type, _digest(name.encode()), len(name))


def _digest(content: bytes) -> Digest:
    return Digest(f"sha256:{sha256(content).hexdigest()}")
