"""Where ECR is known to leave the OCI distribution specification or its own input: one row each, with its source.

`Quirks()` behaves as ECR does, `Quirks.none()` as the specification says.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self


def _quirk(what: str, source: str) -> Any:
    return field(default=True, metadata={"what": what, "source": source})


@dataclass(frozen=True)
class Quirks:
    patch_answers_201: bool = _quirk(
        "PATCH of an upload answers 201 Created; the specification says 202 Accepted",
        "github.com/jdx/mise/discussions/11376, github.com/openai/tart/issues/273",
    )
    mount_falls_back: bool = _quirk(
        "POST with `mount` and `from` answers 202 and starts an upload: blob mounting is off by default",
        "AmazonECR/latest/userguide/blob-mounting.html",
    )
    blob_redirect: bool = _quirk(
        "GET of a blob answers 307 to a signed URL that needs no Authorization",
        "github.com/open-policy-agent/opa/issues/6580",
    )
    blobs_need_image: bool = _quirk(
        "GET of a blob that no image of its repository is made of answers 404; HEAD says that it is there",
        "LayerInaccessibleException of the API model (GetDownloadUrlForLayer, BatchCheckLayerAvailability)",
    )
    small_parts_refused: bool = _quirk(
        "a part of an upload that is not the last and smaller than 5 MiB makes the upload fail at its end",
        "LayerPartTooSmallException of the API model, github.com/dotnet/sdk-container-builds/issues/424",
    )
    tags_page_limit: bool = _quirk(
        "tags/list refuses n above 1000",
        "github.com/google/go-containerregistry/issues/681",
    )
    creation_before_repository_policy: bool = _quirk(
        "a push to a missing repository that a creation template is for creates it for whoever's own account lets them"
        " push, also where the new repository's policy then refuses the push itself",
        "github.com/aws/containers-roadmap/issues/853",
    )
    policy_reformatted: bool = _quirk(
        "a repository policy is read back with other white space than it was written with",
        "AWS CLI reference, examples of get-repository-policy",
    )
    referrer_action: bool = _quirk(
        "an image with a subject is told of as `ECR Referrer Action`, not as `ECR Image Action`; shown by AWS for a"
        " restored one, for pushes and deletes inferred from EventBridge's schema and not verified",
        "AmazonECR/latest/userguide/ecr-eventbridge.html",
    )

    @classmethod
    def none(cls) -> Self:
        return cls(**{quirk.name: False for quirk in fields(cls)})

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """(name, what ECR does, source) of every quirk, for the documentation."""
        return [(quirk.name, quirk.metadata["what"], quirk.metadata["source"]) for quirk in fields(cls)]
