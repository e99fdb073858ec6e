"""What a person does by hand, as plans: take an image out of reach, give it back, undo a recorded step."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.journal import Entry, StepState
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import (
    AddImageTag,
    DeleteAndRetag,
    DeleteLifecyclePolicy,
    DeleteRepositoryPolicy,
    Plan,
    PutLifecyclePolicy,
    RemoveImageTag,
    SetRepositoryPolicy,
    Step,
)
from ecr_steward.domain.registries import DeleteRegistryPolicy, PutRegistryPolicy, PutReplicationConfiguration
from ecr_steward.domain.tagging import is_quarantine_tag, quarantine_tag
from ecr_steward.errors import CannotUndoError

BY_HAND: Final = "by hand"
"""Stands where steps name their rule. No rule can have this name: the rulebook knows none with a blank."""
_ONE_PLAN: Final = timedelta(minutes=15)
"""No function runs longer, so image tags that were taken within this time may have been taken by one plan."""


def plan_quarantine(digest: Digest, images: RepositoryImages, why: str) -> Plan:
    """Take every image tag of an image but its quarantine tag, as ``on_violation: quarantine`` does."""
    image = ImageRef(images.repository, digest)
    held = images.tags_of(digest)
    quarantined = {tag for tag in held if is_quarantine_tag(tag, digest)}
    steps: list[Step] = []
    if not quarantined:
        kept = quarantine_tag(digest, images)
        steps.append(AddImageTag(rule=BY_HAND, why=why, image=image, image_tag=kept))
    steps += [RemoveImageTag(rule=BY_HAND, why=why, image=image, image_tag=tag) for tag in sorted(held - quarantined)]
    return Plan(tuple(steps))


def plan_release(
    digest: Digest, images: RepositoryImages, why: str, given_back: Iterable[ImageTag], *, is_forced: bool = False
) -> Plan:
    """Give an image its image tags back, and take its quarantine tags.

    An image tag that another image holds by now stays there, unless it is forced. A quarantine tag stays where it is
    the image's only tag: ECR would delete the image with it.
    """
    image = ImageRef(images.repository, digest)
    held = images.tags_of(digest)
    steps: list[Step] = []
    remarks: list[str] = []
    for tag in sorted(set(given_back)):
        holder = images.holders.get(tag)
        if holder is not None and holder != digest and not is_forced:
            remarks.append(f"image tag {tag} stays with {holder}, which holds it by now")
        elif holder != digest:
            steps.append(AddImageTag(rule=BY_HAND, why=why, image=image, image_tag=tag, previous=holder))
    quarantined = {tag for tag in held if is_quarantine_tag(tag, digest)}
    if steps or held - quarantined:
        steps += [RemoveImageTag(rule=BY_HAND, why=why, image=image, image_tag=tag) for tag in sorted(quarantined)]
    return Plan(tuple(steps), remarks=tuple(remarks))


def tags_taken(image: ImageRef, entries: Iterable[Entry]) -> frozenset[ImageTag]:
    """The image tags that an image lost together when it last lost any, as the journal has it."""
    taken = [
        entry
        for entry in entries
        if (entry.repository, entry.digest) == (image.repository, image.digest)
        and entry.step == RemoveImageTag.__name__
        and entry.state is not StepState.FAILED
        and not any(is_quarantine_tag(tag, image.digest) for tag in entry.image_tags)
    ]
    last = max((entry.at for entry in taken), default=None)
    return frozenset(tag for entry in taken if last and last - entry.at <= _ONE_PLAN for tag in entry.image_tags)


def never_undone(entry: Entry) -> str | None:
    """Why a step cannot be undone, whatever the facts are; ``None`` where it depends on them."""
    if entry.state is StepState.FAILED:
        return f"{entry.id} was refused and changed nothing: {entry.what}"
    if entry.step in _OF_DOCUMENTS:
        return (
            None
            if entry.document
            else f"{entry.id} cannot be undone: there was no document before, or none that could be read"
        )
    if entry.step not in _OF_ONE_TAG:
        return f"{entry.id} cannot be undone: {_WHY_NOT.get(entry.step, _BY_RULEBOOK)}"
    return None


def plan_undo(entry: Entry, images: RepositoryImages, *, is_forced: bool = False) -> Plan:
    """Bring one recorded step back to how it was before, as far as the facts let it.

    Whether an ``intended`` step was done say the facts: an empty plan means that things are as they were before it.
    Raises CannotUndoError with the reason.
    """
    reason = never_undone(entry)
    if reason or entry.digest is None:
        raise CannotUndoError(reason or f"{entry.id} names no image")
    (tag,) = entry.image_tags
    before = entry.digest if entry.step == RemoveImageTag.__name__ else entry.previous
    after = entry.digest if entry.step != RemoveImageTag.__name__ else None
    holder = images.holders.get(tag)
    if holder == before:
        return Plan(remarks=(f"image tag {tag} is where it was before",))
    if holder not in (after, None) and not is_forced:
        raise CannotUndoError(
            f"image tag {tag} is on {holder} by now, where somebody else has put it; with --force it comes back"
        )
    why = f"undo {entry.id}: {entry.what}"
    if before is None:
        return _taken_back(tag, entry.digest, images, why)
    if before not in images.digests:
        raise CannotUndoError(f"{before} is not in {images.repository} any more, so it can hold no image tag")
    image = ImageRef(images.repository, before)
    if holder is not None and entry.step == DeleteAndRetag.__name__:
        return Plan((DeleteAndRetag(rule=BY_HAND, why=why, image=image, image_tag=tag, previous=holder),))
    return Plan((AddImageTag(rule=BY_HAND, why=why, image=image, image_tag=tag, previous=holder),))


def plan_restore(entry: Entry) -> Plan:
    """Put a document back that a recorded step has overwritten or deleted. Raises CannotUndoError with the reason."""
    if (reason := never_undone(entry)) or entry.document is None:
        raise CannotUndoError(reason or f"{entry.id} is about no document")
    document, why = json.loads(entry.document), f"undo {entry.id}: {entry.what}"
    if entry.repository is None:
        restored = PutReplicationConfiguration if entry.step in _OF_REPLICATION else PutRegistryPolicy
        return Plan((restored(rule=BY_HAND, why=why, registry=entry.registry, document=document),))
    if entry.step in _OF_LIFECYCLES:
        return Plan((PutLifecyclePolicy(rule=BY_HAND, why=why, repository=entry.repository, document=document),))
    return Plan((SetRepositoryPolicy(rule=BY_HAND, why=why, repository=entry.repository, document=document),))


def is_of_document(entry: Entry) -> bool:
    """Whether a step was about a policy or a replication configuration, and not about an image."""
    return entry.step in _OF_DOCUMENTS


def _taken_back(tag: ImageTag, digest: Digest, images: RepositoryImages, why: str) -> Plan:
    """Take an image tag that nobody held before."""
    if images.holders.get(tag) != digest:
        return Plan(remarks=(f"image tag {tag} is not on {digest} any more",))
    if images.tags_of(digest) == {tag}:
        raise CannotUndoError(f"{tag} is the only image tag of {digest}: ECR would delete the image with it")
    image = ImageRef(images.repository, digest)
    return Plan((RemoveImageTag(rule=BY_HAND, why=why, image=image, image_tag=tag),))


_OF_ONE_TAG = tuple(step.__name__ for step in (AddImageTag, DeleteAndRetag, RemoveImageTag))
_OF_LIFECYCLES = tuple(step.__name__ for step in (PutLifecyclePolicy, DeleteLifecyclePolicy))
_OF_REPLICATION = (PutReplicationConfiguration.__name__,)
_OF_POLICIES = (SetRepositoryPolicy, DeleteRepositoryPolicy, PutRegistryPolicy, DeleteRegistryPolicy)
_OF_DOCUMENTS = (*_OF_LIFECYCLES, *_OF_REPLICATION, *(step.__name__ for step in _OF_POLICIES))
_BY_RULEBOOK = "settings come back when the rulebook says so, or by hand"
_WHY_NOT = {
    "StartReplicationBackfill": "what ECR has copied stays; StopReplicationBackfill stops one that is under way",
    "DeleteImage": "a deleted image is gone from the registry; push it again, or copy it back from a replica",
}
