"""The key ``repository.lifecycle``: which images stay, which go, and which are archived."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictInt, WithJsonSchema, model_validator

from ecr_steward.domain.lifecycle.policy import LEAST_DAYS_ARCHIVED
from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.image_tags import TagPattern


def _check_archived_for(days: int) -> int:
    if days < LEAST_DAYS_ARCHIVED:
        raise words.WrongWordError(
            f"`{days}d` in the archive is less than ECR takes",
            f"{LEAST_DAYS_ARCHIVED}d or more, which are paid for in any case",
            code=Code.LIFECYCLE_ARCHIVED_TOO_SHORT,
        )
    return days


DaysArchived = Annotated[
    words.Days,
    AfterValidator(_check_archived_for),
    WithJsonSchema({"type": "string", "pattern": "^((9[0-9]|[1-9][0-9]{2,3})d|(1[3-9]|[2-9][0-9]|[1-9][0-9]{2,3})w)$"}),
]
_PATTERNS = "patterns with `*`, schemes such as `semver`, or regexes, as in `image_tags.allow`"


class _Entry(RulebookModel):
    """Which images an entry selects: one of the three keys, or none for all images."""

    tags: tuple[TagPattern, ...] | None = Field(
        default=None,
        min_length=1,
        description=f"Only images with an image tag of one of these: {_PATTERNS}.",
        examples=[["v*"]],
    )
    all_tags: tuple[TagPattern, ...] | None = Field(
        default=None,
        min_length=1,
        description="Only images with an image tag for each of these; words as in `tags`.",
        examples=[["prod-*", "team-a-*"]],
    )
    untagged: Literal[True] | None = Field(
        default=None, description="Only images without an image tag.", examples=[True]
    )

    @model_validator(mode="after")
    def _selects_one_way(self) -> Self:
        given = _given(self, ("tags", "all_tags", "untagged"))
        if len(given) > 1:
            raise words.WrongWordError(
                f"`{given[0]}` and `{given[1]}` both say which images are meant",
                "one of them, and another entry for the other",
                code=Code.LIFECYCLE_UNTAGGED_WITH_TAGS,
            )
        return self


class Keep(_Entry):
    """Images that stay. With `newest` older ones of the same selection expire; without, this wins over every expire."""

    newest: StrictInt | None = Field(
        default=None,
        ge=1,
        description="So many of the selected images stay, by the time of their push; the older ones expire.",
        examples=[30],
    )
    pulled_within: words.Days | None = Field(
        default=None,
        description="An image that was pulled in these last days or weeks stays, whatever else would expire it.",
        examples=["30d"],
    )
    in_use: tuple[Literal["ecs", "lambda", "inspector"], ...] | None = Field(
        default=None,
        min_length=1,
        description="An image stays, whatever else would expire it, while a task definition of ECS that is active or a "
        "function of Lambda names it, or Inspector counts containers that run it (`inUseCount`).",
        examples=[["ecs", "lambda"]],
    )

    @model_validator(mode="after")
    def _keeps_one_way(self) -> Self:
        given = _given(self, ("newest", "pulled_within", "in_use"))
        if len(given) > 1:
            raise words.WrongWordError(
                f"`{given[0]}` and `{given[1]}` are two reasons to keep an image",
                "an entry for each: one reason is enough for an image to stay",
                code=Code.LIFECYCLE_SEVERAL_WAYS,
            )
        if not given and not _given(self, ("tags", "all_tags", "untagged")):
            raise words.WrongWordError(
                "this does not say what stays",
                "`newest`, `tags`, `pulled_within` or `in_use`",
                code=Code.LIFECYCLE_SAYS_NOTHING,
            )
        return self

    @property
    def protects(self) -> bool:
        """Whether it wins over every expire."""
        return self.newest is None


class Expire(_Entry):
    """Images that go after a time."""

    after: words.Days | None = Field(default=None, description="Days or weeks since the push.", examples=["14d"])
    not_pulled_for: words.Days | None = Field(
        default=None,
        description="Days or weeks since the last pull, or since the push where there was none.",
        examples=["90d"],
    )
    archived_for: DaysArchived | None = Field(
        default=None,
        description="Days or weeks since it was archived: 90 days or more. Selects archived images only.",
        examples=["180d"],
    )

    @model_validator(mode="after")
    def _counts_one_way(self) -> Self:
        _count_one_way(self, ("after", "not_pulled_for", "archived_for"))
        return self


class Archive(_Entry):
    """Images that go to ECR's archive after a time, where they cost less and nobody can pull them."""

    after: words.Days | None = Field(default=None, description="Days or weeks since the push.", examples=["30d"])
    not_pulled_for: words.Days | None = Field(
        default=None,
        description="Days or weeks since the last pull, or since the push where there was none.",
        examples=["90d"],
    )
    all_but_newest: StrictInt | None = Field(
        default=None,
        ge=1,
        description="So many of the selected images are not archived, by the time of their push.",
        examples=[100],
    )

    @model_validator(mode="after")
    def _counts_one_way(self) -> Self:
        _count_one_way(self, ("after", "not_pulled_for", "all_but_newest"))
        return self


class LifecycleEntry(RulebookModel):
    """One entry. An image that an entry selects is left alone by all entries below it; a `keep` without `newest` has no
    place in this order, and wins wherever it stands."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    keep: Keep | None = Field(
        default=None,
        description="Images that stay: the newest of them, or all of them, or those that are in use.",
        examples=[{"newest": 30, "tags": ["*.*.*"]}, {"tags": ["v*"]}, {"pulled_within": "30d"}, {"in_use": ["ecs"]}],
    )
    expire: Expire | None = Field(
        default=None,
        description="Let images expire after a time.",
        examples=[{"untagged": True, "after": "14d"}, {"not_pulled_for": "90d"}, {"archived_for": "180d"}],
    )
    archive: Archive | None = Field(
        default=None,
        description="Let images go to ECR's archive after a time.",
        examples=[{"not_pulled_for": "90d"}],
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if len(_given(self, ("keep", "expire", "archive"))) != 1:
            raise words.WrongWordError(
                "an entry is one of `keep`, `expire` and `archive`",
                "one entry for each, with a dash of its own",
                code=Code.LIFECYCLE_ONE_OF_BOTH,
            )
        return self

    @property
    def key(self) -> str:
        """The word that it begins with."""
        return _given(self, ("keep", "expire", "archive"))[0]

    @property
    def half(self) -> Keep | Expire | Archive:
        """What stands behind that word."""
        chosen = self.keep or self.expire or self.archive
        assert chosen is not None  # noqa: S101 - the validator above
        return chosen

    @property
    def protects(self) -> bool:
        """Whether it is a keep that wins over every expire."""
        return self.keep is not None and self.keep.protects

    @property
    def selects_archived(self) -> bool:
        """Whether it speaks about what is in the archive; all others speak about what is not."""
        return self.expire is not None and self.expire.archived_for is not None


def _count_one_way(entry: Expire | Archive, keys: tuple[str, ...]) -> None:
    given = _given(entry, keys)
    expected = ", ".join(f"`{key}`" for key in keys[:-1]) + f" or `{keys[-1]}`"
    if not given:
        raise words.WrongWordError("this does not say when", expected, code=Code.LIFECYCLE_SAYS_NOTHING)
    if len(given) > 1:
        raise words.WrongWordError(
            f"`{given[0]}` and `{given[1]}` cannot both count", f"one of {expected}", code=Code.LIFECYCLE_SEVERAL_WAYS
        )


def _given(model: RulebookModel, keys: tuple[str, ...]) -> list[str]:
    return [key for key in keys if getattr(model, key) is not None]
