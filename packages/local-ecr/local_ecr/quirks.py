"""Where ECR is known to leave the OCI distribution specification or its own input: one row each, with its source.

`Quirks()` behaves as ECR does, `Quirks.none()` as the specification says and as a plain registry does where the
specification leaves a choice. Image manifest schema 1, which ECR still converts to, is not simulated at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Self

ECR = "ecr"
NONE = "none"


def _quirk(what: str, source: str) -> Any:
    return field(default=True, metadata={"what": what, "source": source})


@dataclass(frozen=True)
class Quirks:
    # --- uploads
    patch_answers_201: bool = _quirk(
        "PATCH of an upload answers 201 Created; the specification says 202 Accepted",
        "github.com/jdx/mise/pull/11376, github.com/openai/tart/issues/273",
    )
    upload_range_sticks: bool = _quirk(
        "`Range` of a PATCH's answer stays at the end of the first chunk, whatever was received since",
        "github.com/aws/containers-roadmap/issues/2831",
    )
    small_parts_refused: bool = _quirk(
        "a part of an upload that is not the last and smaller than 5 MiB makes the upload fail at its end",
        "LayerPartTooSmallException of the API model, github.com/dotnet/sdk-container-builds/issues/424",
    )
    empty_blobs_refused: bool = _quirk(
        "an upload of no bytes at all is refused: it has no parts",
        "EmptyUploadException of the API model, github.com/devcontainers/cli/issues/814",
    )
    upload_errors_are_upload_invalid: bool = _quirk(
        "an upload whose bytes have another digest answers BLOB_UPLOAD_INVALID; the specification has DIGEST_INVALID",
        "github.com/dotnet/sdk-container-builds/issues/472",
    )
    # --- mounting
    mounting_needs_setting: bool = _quirk(
        "POST with `mount` and `from` begins an upload (202) until the account setting BLOB_MOUNTING is ENABLED",
        "AmazonECR/latest/userguide/blob-mounting.html",
    )
    mounting_needs_same_encryption: bool = _quirk(
        "a blob is mounted only between repositories of one encryption type and key",
        "AmazonECR/latest/userguide/blob-mounting.html",
    )
    mounting_needs_image: bool = _quirk(
        "a blob is mounted only when an image of the other repository is made of it",
        "github.com/aws/containers-roadmap/issues/2860",
    )
    mounting_needs_from: bool = _quirk(
        "POST with `mount` alone begins an upload; a plain registry looks for the blob in all repositories",
        "AmazonECR/latest/userguide/blob-mounting.html: only when these parameters are present",
    )
    # --- blobs
    blob_redirect: bool = _quirk(
        "GET of a blob answers 307 to a signed URL that needs no Authorization",
        "github.com/open-policy-agent/opa/issues/6580",
    )
    blobs_need_image: bool = _quirk(
        "GET of a blob that no image of its repository is made of answers 404; HEAD says that it is there",
        "LayerInaccessibleException of the API model (GetDownloadUrlForLayer, BatchCheckLayerAvailability)",
    )
    blob_delete_unsupported: bool = _quirk(
        "DELETE of a blob answers 405: a layer goes with its images",
        "API model and service authorization reference: no operation and no action deletes a layer",
    )
    # --- manifests
    manifest_errors_are_unsupported: bool = _quirk(
        "a manifest that is refused answers 405 UNSUPPORTED; the specification has MANIFEST_INVALID",
        "github.com/opcr-io/policy/issues/149, github.com/openai/tart/issues/890",
    )
    media_type_parameters_refused: bool = _quirk(
        "an artifactType or a media type of a config or layer that has parameters (`;version=0.2`) is refused",
        "github.com/aws/containers-roadmap/issues/2306",
    )
    index_lists_images_only: bool = _quirk(
        "an index that lists blobs, as BuildKit's cache once did, is refused",
        "github.com/aws/containers-roadmap/issues/876, github.com/moby/buildkit/issues/2251",
    )
    image_digests_are_sha256: bool = _quirk(
        "an image has a sha256 digest; a manifest cannot be pushed under a sha512 digest",
        "ImageIdentifier.imageDigest of the API model: the sha256 digest of the image manifest",
    )
    manifests_converted_by_tag: bool = _quirk(
        "an image pulled by tag is converted between OCI and Docker schema 2, and so gets another digest, when the"
        " client takes only the other; never when it is pulled by digest",
        "AmazonECR/latest/userguide/image-manifest-formats.html",
    )
    last_tag_takes_image: bool = _quirk(
        "deleting the last tag of an image deletes the image; in the specification the manifest stays",
        "BatchDeleteImage of the API model",
    )
    index_keeps_images: bool = _quirk(
        "an image that an index lists cannot be deleted",
        "ImageReferencedByManifestList of the API model",
    )
    # --- names and listings
    long_image_tags: bool = _quirk(
        "an image tag may have 300 characters; the specification allows 128",
        "ImageTag of the API model",
    )
    tag_errors_are_tag_invalid: bool = _quirk(
        "a push that would move an immutable tag answers 400 TAG_INVALID, no code of the specification any more",
        "github.com/osscontainertools/kaniko/pull/204, github.com/moby/buildkit/issues/3776",
    )
    short_names_refused: bool = _quirk(
        "a repository's name has at least two characters",
        "RepositoryName of the API model",
    )
    repositories_come_first: bool = _quirk(
        "a push to a repository that is not there answers 404 unless a creation template lets it be made",
        "AmazonECR/latest/userguide/docker-push-ecr-image.html, repository-creation-templates.html",
    )
    tags_default_page: bool = _quirk(
        "tags/list without n shows 100 tags",
        "github.com/deitch/docker_registry2/issues/34",
    )
    tags_page_limit: bool = _quirk(
        "tags/list refuses n above 1000",
        "github.com/google/go-containerregistry/issues/681",
    )
    tags_page_by_token: bool = _quirk(
        "tags/list is not sorted by name; its `Link` is absolute, with an opaque `last`, and any other `last` answers"
        " 405. Here the order is that of ListImages: tags that do not move are listed once",
        "github.com/deitch/docker_registry2/issues/34, github.com/OctopusDeploy/Issues/issues/6495",
    )
    # --- repositories
    creation_before_repository_policy: bool = _quirk(
        "a push to a missing repository that a creation template is for creates it for whoever's own account lets them"
        " push, also where the new repository's policy then refuses the push itself",
        "github.com/aws/containers-roadmap/issues/853",
    )
    # --- who asks, and what is answered
    authorization_required: bool = _quirk(
        "every request needs Basic authorization with a token that is good for 12 hours; without, anybody on a"
        " registry's own port or host name is its account's root",
        "AmazonECR/latest/userguide/registry_auth.html",
    )
    errors_without_detail: bool = _quirk(
        "an error has a code and a message, and no detail",
        "github.com/opcr-io/policy/issues/149, github.com/dotnet/sdk-container-builds/issues/472",
    )
    policy_reformatted: bool = _quirk(
        "a repository policy is read back as AWS keeps it: in other white space, and a list of one text as the text",
        "AWS CLI reference, examples of get-repository-policy",
    )
    referrer_action: bool = _quirk(
        "an image with a subject is told of as `ECR Referrer Action`, not as `ECR Image Action`; shown by AWS for a"
        " restored one, for pushes and deletes inferred from EventBridge's schema and not verified",
        "AmazonECR/latest/userguide/ecr-eventbridge.html",
    )

    @classmethod
    def none(cls) -> Self:
        return cls(**dict.fromkeys(cls.names(), False))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `ecr`, `none`, or one of them with names to add or, after a minus, to take away: `ecr,-blob_redirect`.

        Raises ValueError that says which word was likely meant, and how to see all that there are.
        """
        first, *changes = [word.strip() for word in text.split(",")]
        if first not in {ECR, NONE}:
            raise ValueError(f"it begins with {ECR} or {NONE}, not with {first!r}{_near(first, [ECR, NONE])}")
        known = cls.names()
        for word in changes:
            if word.removeprefix("-") not in known:
                near = _near(word.removeprefix("-"), known)
                raise ValueError(
                    f"there is no quirk {word.removeprefix('-')!r}{near}; `--quirks list` prints all {len(known)}"
                )
        switches = {word.removeprefix("-"): not word.startswith("-") for word in changes}
        return replace(cls() if first == ECR else cls.none(), **switches)

    @classmethod
    def names(cls) -> list[str]:
        return [quirk.name for quirk in fields(cls)]

    @classmethod
    def table(cls) -> list[tuple[str, str, str]]:
        """(name, what ECR does, source) of every quirk, for the documentation."""
        return [(quirk.name, quirk.metadata["what"], quirk.metadata["source"]) for quirk in fields(cls)]


def _near(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
