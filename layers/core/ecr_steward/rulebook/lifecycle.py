"""The key ``repository.lifecycle``: which images stay, and which go."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictInt, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel


def _one_pattern(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if len(patterns) != 1:
        raise ValueError("write one pattern; ECR takes several for `all of them must match`, so make an entry for each")
    return patterns


OneTagFilter = Annotated[
    tuple[words.TagFilter, ...], AfterValidator(_one_pattern), Field(json_schema_extra={"minItems": 1, "maxItems": 1})
]


class _Selection(RulebookModel):
    untagged: Literal[True] | None = Field(
        default=None, description="Only images without an image tag.", examples=[True]
    )
    tags: OneTagFilter | None = Field(
        default=None,
        description="Only images with an image tag of this pattern. One pattern: ECR would want all of several.",
        examples=[["v*"]],
    )

    @model_validator(mode="after")
    def _selects_one_way(self) -> Self:
        if self.untagged and self.tags:
            raise ValueError("an image is either untagged or has `tags`: keep one of the two keys")
        return self


class Keep(_Selection):
    """The newest images stay, older ones of the same selection expire."""

    newest: StrictInt = Field(ge=1, description="How many images stay.", examples=[30])


class Expire(_Selection):
    """Images expire by the time since their push."""

    after: words.Days = Field(description="Days or weeks since the push.", examples=["14d"])


class LifecycleEntry(RulebookModel):
    """One rule of the lifecycle policy. An image that an entry selects is left alone by all entries below it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    keep: Keep | None = Field(
        default=None, description="Keep the newest images.", examples=[{"newest": 30, "tags": ["*.*.*"]}]
    )
    expire: Expire | None = Field(
        default=None, description="Let images expire after a time.", examples=[{"untagged": True, "after": "14d"}]
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.keep is None) == (self.expire is None):
            raise ValueError("an entry is either `keep` or `expire`: write one entry for each")
        return self

    @property
    def selection(self) -> Keep | Expire:
        """The half that is there."""
        chosen = self.keep or self.expire
        assert chosen is not None  # noqa: S101 - the validator above
        return chosen
