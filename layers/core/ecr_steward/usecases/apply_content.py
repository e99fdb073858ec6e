"""Applying those steps of a plan that copy: through the engine that copies for people, too."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from ecr_steward.domain.plan import CopyBlob, CopyManifest, PutImageTag, Step
from ecr_steward.errors import OutOfTimeError, RegistryUnavailableError
from ecr_steward.ports.stores import ImageContent
from ecr_steward.usecases.moving import Mover, Pace
from ecr_steward.usecases.stores import store_of

type Around = Callable[[Step], AbstractContextManager[None]]
"""What a step is done inside of."""


def copy_content(steps: Sequence[Step], content: ImageContent | None, around: Around, pace: Pace | None = None) -> None:
    """Copy blobs and then manifests, all from one repository to another, the manifests in the order of the plan.

    That blobs are missing there, the plan has found out: they are not asked for once more before the first try. Raises
    OutOfTimeError, with what was moved being there.
    """
    data_plane = _needed(content, steps[0])
    blobs = {step.blob.digest: step for step in steps if isinstance(step, CopyBlob)}
    manifests = [step for step in steps if isinstance(step, CopyManifest)]
    ends: list[CopyBlob | CopyManifest] = [*blobs.values(), *manifests]
    source, destination = data_plane.store(ends[0].source), store_of(data_plane, ends[0].destination)
    with Mover(source, destination, pace=pace) as mover:
        moved = mover.move(
            [step.blob for step in blobs.values()],
            known=dict.fromkeys(blobs, False),
            around=lambda blob: around(blobs[blob.digest]),
        )
        for number, step in enumerate(manifests):
            try:
                with around(step):
                    mover.put(source.manifest(step.manifest.digest))
            except OutOfTimeError as error:
                error.moved = len(moved) + number
                raise
        mover.prove([*blobs, *(step.manifest.digest for step in manifests)])


def put_image_tag(step: PutImageTag, content: ImageContent | None) -> None:
    """Put a manifest, which is there by its digest, under an image tag, and look whether it is.

    Raises RegistryUnavailableError where another image holds the tag afterwards: a copy of that may have been faster.
    """
    data_plane = _needed(content, step)
    destination = store_of(data_plane, step.destination)
    destination.put_manifest(data_plane.store(step.source).manifest(step.digest), step.image_tag, is_top=True)
    if (holder := destination.digest_of(step.image_tag)) != step.digest:
        raise RegistryUnavailableError(
            f"{step.destination} has taken {step.digest} as {step.image_tag}, and now shows {holder or 'no such tag'}"
        )


def _needed(content: ImageContent | None, step: Step) -> ImageContent:
    if content is None:
        raise TypeError(f"a plan that copies needs the data plane: {step}")
    return content
