"""The keys ``labels``, ``annotations`` and ``companions`` of ``image_tags``: what an image must bring along."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from ecr_steward.rulebook import tag_words, words
from ecr_steward.rulebook.base import RulebookModel


class RequiredValue(RulebookModel):
    """A key and what its value must look like."""

    key: tag_words.LabelKey = Field(
        description="Of the label or annotation.", examples=["org.opencontainers.image.revision"]
    )
    pattern: words.Regex = Field(
        description="A regular expression in RE2's syntax that the whole value must match.",
        examples=["[0-9a-f]{40}"],
    )


def _kind_of_requirement(value: Any) -> str:
    return "value" if isinstance(value, dict | RequiredValue) else "key"


RequiredKey = Annotated[
    Annotated[tag_words.LabelKey, Tag("key")] | Annotated[RequiredValue, Tag("value")],
    Discriminator(_kind_of_requirement),
]


class Required(RulebookModel):
    """Labels or annotations that every tagged image must have."""

    required: tuple[RequiredKey, ...] = Field(
        min_length=1,
        description="Keys that must have a value, each alone or with a pattern for the value.",
        examples=[
            ["org.opencontainers.image.source", {"key": "org.opencontainers.image.revision", "pattern": "[0-9a-f]{40}"}]
        ],
    )


class RequiredReferrer(RulebookModel):
    """A referrer of one artifact type."""

    artifact_type: tag_words.ArtifactType = Field(
        description="As the referrers API shows it: the `artifactType` of the manifest, or else the media type of its "
        "config.",
        examples=["application/spdx+json"],
    )


def _kind_of_companion(value: Any) -> str:
    return "referrer" if isinstance(value, dict | RequiredReferrer) else "word"


Companion = Annotated[
    Annotated[Literal["cosign_signature"], Tag("word")] | Annotated[RequiredReferrer, Tag("referrer")],
    Discriminator(_kind_of_companion),
]


class Companions(RulebookModel):
    """What must be in the repository beside every tagged image."""

    required: tuple[Companion, ...] = Field(
        min_length=1,
        description="`cosign_signature`: an image tag `sha256-<digest>.sig`. `artifact_type`: a referrer. That they "
        "are there is checked, not who made them.",
        examples=[[{"artifact_type": "application/spdx+json"}, "cosign_signature"]],
    )
    within: tag_words.Grace = Field(
        default=timedelta(hours=1),
        description="How long after its push an image may do without, since whoever signs an image pushes it first. "
        "The first sweep after that finds what is missing.",
        examples=["1h"],
    )
