"""The key ``image_tags``: which image tags a repository may hold, and which the steward adds."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel


class RegexPattern(RulebookModel):
    """A regular expression that the whole image tag must match."""

    regex: words.Regex = Field(
        description="In RE2's syntax, which cannot hang: no look-around, no back-references.",
        examples=["sha-[0-9a-f]{7,40}"],
    )


def _kind_of_pattern(value: Any) -> str:
    return "regex" if isinstance(value, dict | RegexPattern) else "pattern"


TagPattern = Annotated[
    Annotated[words.TagWord, Tag("pattern")] | Annotated[RegexPattern, Tag("regex")], Discriminator(_kind_of_pattern)
]


class Aliases(RulebookModel):
    """Image tags that follow the highest version in the repository that they stand for, whatever is pushed when."""

    from_: Literal["semver", "calver"] = Field(
        alias="from", description="The scheme that reads versions from image tags.", examples=["semver"]
    )
    add: tuple[words.AliasTemplate, ...] = Field(
        min_length=1,
        description="Templates of the aliases, filled from the version: `{major}`, `{minor}` and `{patch}` of semver, "
        "`{year}` and `{month}` of calver.",
        examples=[["{major}.{minor}-latest", "{major}-latest"]],
    )


class ImageTags(RulebookModel):
    """Which image tags a repository may hold, and which the steward adds."""

    allow: tuple[TagPattern, ...] = Field(
        default=(),
        description="A scheme (`semver`: three-part versions; `calver`: a year and month, such as 2026.11 or 26.04.1; "
        "`git_sha`: 7 to 40 hex digits, perhaps after `sha-` or `git-`), a pattern with `*`, or a regex. None means "
        "every image tag that is not denied.",
        examples=[["semver", "main-*", {"regex": "pr-[0-9]+"}]],
    )
    deny: tuple[TagPattern, ...] = Field(
        default=(),
        description="As `allow`; what is denied is a violation even where it is allowed.",
        examples=[["latest"]],
    )
    aliases: Aliases | None = Field(
        default=None,
        description="Moving aliases of the versions.",
        examples=[{"from": "semver", "add": ["{major}-latest"]}],
    )
    on_violation: Literal["notify", "quarantine"] = Field(
        default="notify",
        description="What happens to an image tag that breaks the rule: people are told (`notify`), or also the tag is "
        "taken away (`quarantine`). An image that holds no other tag of its own gets a quarantine tag instead.",
        examples=["quarantine"],
    )
