"""The journal: steps that took something away or overwrote it, moved an image tag in ECR or started a backfill.

So that a person can find and, where that is possible, undo them.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ecr_steward.domain.asked import Overwriting
from ecr_steward.domain.backfills import StartReplicationBackfill
from ecr_steward.domain.brake import is_destructive, opened_by
from ecr_steward.domain.names import Digest, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.plan import (
    AddImageTag,
    DeleteAndRetag,
    DeleteImage,
    RemoveImageTag,
    Step,
)

KEPT: Final = timedelta(days=90)
LONGEST_WHY: Final = 2_000
"""Characters of a reason that the journal keeps: an item holds 400 KB, and a replication configuration may have 310."""


class StepState(StrEnum):
    """How far a step has come."""

    INTENDED = "intended"
    """About to be done. Stays so where the function ended meanwhile, or no answer came: then the facts tell."""
    DONE = "done"
    FAILED = "failed"
    """Refused; nothing has changed."""


@dataclass(frozen=True)
class Entry:
    """One step, as the journal has it."""

    id: str
    """Such as ``20261126-041530-3f9a2c``: the day, the time in UTC, and digits that make it unique."""
    at: datetime
    who: str
    """The function, or the person by ARN."""
    rule: str
    why: str
    step: str
    """The kind of step, such as ``RemoveImageTag``."""
    what: str
    """The step as people read it."""
    registry: RegistryRef
    state: StepState = StepState.INTENDED
    repository: RepositoryRef | None = None
    digest: Digest | None = None
    image_tags: tuple[ImageTag, ...] = ()
    previous: Digest | None = None
    """Which image held the image tag before."""
    document: str | None = None
    """The policy that was there before, as JSON."""


def is_recorded(step: Step) -> bool:
    """Whether the journal has such steps."""
    if isinstance(step, StartReplicationBackfill):  # it cannot be undone, and costs transfer
        return True
    overwrites = isinstance(step, Overwriting | AddImageTag | DeleteAndRetag) and step.previous is not None
    return overwrites or is_destructive(step) or bool(opened_by(step))


def entry_of(step: Step, entry_id: str, at: datetime, who: str) -> Entry:
    """The entry of a step that is about to be done."""
    repository, digest, image_tags, previous = _places(step)
    registry = repository.registry if repository else getattr(step, "registry", None)
    if not isinstance(registry, RegistryRef):
        raise TypeError(f"the journal has no place for {step}")
    return Entry(
        id=entry_id,
        at=at,
        who=who,
        rule=step.rule,
        why=step.why[:LONGEST_WHY],
        step=type(step).__name__,
        what=str(step),
        registry=registry,
        repository=repository,
        digest=digest,
        image_tags=image_tags,
        previous=previous,
        document=_document(step),
    )


def _document(step: Step) -> str | None:
    if not isinstance(step, Overwriting) or step.previous is None:
        return None
    return json.dumps(step.previous, separators=(",", ":"))


def _places(step: Step) -> tuple[RepositoryRef | None, Digest | None, tuple[ImageTag, ...], Digest | None]:
    match step:
        case AddImageTag() | DeleteAndRetag():
            return step.image.repository, step.image.digest, (step.image_tag,), step.previous
        case RemoveImageTag():
            return step.image.repository, step.image.digest, (step.image_tag,), None
        case DeleteImage():
            return step.image.repository, step.image.digest, tuple(sorted(step.image_tags)), None
    repository = getattr(step, "repository", None)
    return (repository if isinstance(repository, RepositoryRef) else None), None, (), None
