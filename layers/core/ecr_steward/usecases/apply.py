"""Applying a plan: the only place where steps become calls. It decides nothing."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import groupby
from typing import assert_never

from ecr_steward.domain.backfills import StartReplicationBackfill
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.plan import (
    AddImageTag,
    AddResourceTags,
    CopyBlob,
    CopyManifest,
    CreateRepository,
    DeleteAndRetag,
    DeleteImage,
    DeleteLifecyclePolicy,
    DeleteRepositoryPolicy,
    Plan,
    PublishCredential,
    PutImageTag,
    PutLifecyclePolicy,
    PutScanOnPush,
    PutTagMutability,
    RegistryStep,
    RemoveImageTag,
    SetRepositoryPolicy,
    Step,
)
from ecr_steward.domain.registries import RegistrySettingsStep
from ecr_steward.errors import (
    ImageIsListedError,
    ImageTaggedMeanwhileError,
    LastImageTagError,
    StewardError,
    gravest,
)
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.stores import ImageContent
from ecr_steward.usecases.apply_content import Around, copy_content, put_image_tag
from ecr_steward.usecases.apply_registry import REGISTRY_SETTINGS, apply_to_registry_settings
from ecr_steward.usecases.backfilling import Backfilling
from ecr_steward.usecases.moving import Pace

SETTINGS = (
    PutTagMutability,
    PutScanOnPush,
    AddResourceTags,
    PutLifecyclePolicy,
    DeleteLifecyclePolicy,
    SetRepositoryPolicy,
    DeleteRepositoryPolicy,
    *REGISTRY_SETTINGS,
    StartReplicationBackfill,
)
"""Steps that do not lean on each other: one that is refused does not keep the others from being done."""


_OF_ONE_IMAGE = (ImageIsListedError, ImageTaggedMeanwhileError, LastImageTagError)
"""Somebody was faster: this image stays as it is until it is looked at anew. Other images are no worse for it."""


def _plainly(_step: Step) -> AbstractContextManager[None]:
    return nullcontext()


def apply_plan(
    plan: Plan,
    registry: Registry,
    content: ImageContent | None = None,
    settings: RegistrySettingsStore | None = None,
    *,
    around: Around = _plainly,
    pace: Pace | None = None,
    backfilling: Backfilling | None = None,
) -> None:
    """Carry out the steps in their order. An error names the rule that asked for the step.

    The first error ends it, but for the settings of a repository or registry, which are each tried, and for an image
    that somebody else has changed meanwhile: it stays, with what belongs to it. ``content`` is needed where the plan
    copies anything, ``settings`` where it changes those of a whole registry, ``backfilling`` too where it starts a
    backfill there. Each step is done inside of what
    ``around`` answers for it: what a rule asks for goes through ``Applier``. What is copied is copied together, at
    this ``pace``.
    """
    errors: list[StewardError] = []
    staying: set[Digest] = set()
    for steps in _together(plan.steps):
        step = steps[0]
        if isinstance(step, DeleteImage) and step.belongs_to & staying:
            staying.add(step.image.digest)
            continue
        try:
            if isinstance(step, CopyBlob | CopyManifest):
                copy_content(steps, content, around, pace)
            elif isinstance(step, PutImageTag):
                with around(step):
                    put_image_tag(step, content)
            else:
                with around(step):
                    _apply(step, registry, settings, backfilling)
        except StewardError as error:
            error.rule = step.rule
            errors.append(error)
            if isinstance(step, DeleteImage):
                staying.add(step.image.digest)
            if not isinstance(step, SETTINGS) and not isinstance(error, _OF_ONE_IMAGE):
                break
    if errors:
        others = [error for error in errors if not isinstance(error, _OF_ONE_IMAGE)]
        raise gravest(others or errors)


def _together(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Step by step, but all that is copied from one repository to another at once."""

    def copied(numbered: tuple[int, Step]) -> object:
        number, step = numbered
        return (step.source, step.destination) if isinstance(step, CopyBlob | CopyManifest) else number

    for _, group in groupby(enumerate(steps), copied):
        yield [step for _, step in group]


def _apply(
    step: RegistryStep | RegistrySettingsStep | StartReplicationBackfill | PublishCredential,
    registry: Registry,
    settings: RegistrySettingsStore | None,
    backfilling: Backfilling | None,
) -> None:
    if isinstance(step, REGISTRY_SETTINGS):
        if settings is None:
            raise TypeError(f"a plan for a whole registry needs its settings: {step}")
        apply_to_registry_settings(step, settings)
    elif isinstance(step, StartReplicationBackfill):
        if settings is None or backfilling is None:
            raise TypeError(f"a plan for a whole registry needs its settings and its backfills: {step}")
        backfilling.start(step, settings)
    elif isinstance(step, PublishCredential):
        raise TypeError(f"logins have to be fetched and tried first, by refresh_credentials: {step}")
    else:
        _apply_to_registry(step, registry)


def _apply_to_registry(step: RegistryStep, registry: Registry) -> None:
    match step:
        case AddImageTag() | RemoveImageTag() | DeleteAndRetag() | DeleteImage():
            _apply_to_image(step, registry)
        case CreateRepository():
            registry.create_repository(step.repository, step.mutability, step.encryption, step.resource_tags)
        case SetRepositoryPolicy():
            registry.set_repository_policy(step.repository, step.document)
        case DeleteRepositoryPolicy():
            registry.delete_repository_policy(step.repository)
        case PutLifecyclePolicy():
            registry.put_lifecycle_policy(step.repository, step.document)
        case DeleteLifecyclePolicy():
            registry.delete_lifecycle_policy(step.repository)
        case PutTagMutability():
            registry.put_tag_mutability(step.repository, step.mutability)
        case PutScanOnPush():
            registry.put_scan_on_push(step.repository, step.scan_on_push)
        case AddResourceTags():
            registry.add_resource_tags(step.repository, step.resource_tags)
        case _:
            assert_never(step)


def _apply_to_image(step: AddImageTag | RemoveImageTag | DeleteAndRetag | DeleteImage, registry: Registry) -> None:
    match step:
        case AddImageTag():
            registry.add_image_tag(step.image, step.image_tag)
        case RemoveImageTag():
            registry.remove_image_tag(step.image, step.image_tag)
        case DeleteAndRetag():
            registry.remove_image_tag(ImageRef(step.image.repository, step.previous), step.image_tag)
            registry.add_image_tag(step.image, step.image_tag)
        case DeleteImage():
            registry.delete_image(step.image, step.image_tags)
        case _:
            assert_never(step)
