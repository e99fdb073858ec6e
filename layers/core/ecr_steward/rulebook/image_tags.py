"""The key ``image_tags``: which image tags a repository may hold, and which the steward adds."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.limits import MOST_ENTRIES
from ecr_steward.rulebook.requirements import Companions, Required


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
    move: Literal["retag", "delete_and_retag"] = Field(
        default="retag",
        description="How an alias gets to another image. `retag`: in one call, which an immutable repository takes "
        "only for tags that an exception covers. `delete_and_retag`: the tag is deleted first, so that in between "
        "nobody can pull it; for immutable repositories without such an exception.",
        examples=["delete_and_retag"],
    )


class Expiry(RulebookModel):
    """Image tags that go when nobody has pushed or moved them for a while."""

    tags: tuple[TagPattern, ...] = Field(
        min_length=1, description="Which image tags, written as in `allow`.", examples=[["pr-*"]]
    )
    after: words.Days = Field(
        description="Days or weeks since the tag was pushed or moved last, as far as the steward has seen it.",
        examples=["14d"],
    )


class ImageTags(RulebookModel):
    """Which image tags a repository may hold, and which the steward adds."""

    allow: tuple[TagPattern, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="A scheme (`semver`: three-part versions; `calver`: a year and month, such as 2026.11 or 26.04.1; "
        "`git_sha`: 7 to 40 hex digits, perhaps after `sha-` or `git-`), a pattern with `*`, or a regex. None means "
        "every image tag that is not denied.",
        examples=[["semver", "main-*", {"regex": "pr-[0-9]+"}]],
    )
    deny: tuple[TagPattern, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="As `allow`; what is denied is a violation even where it is allowed.",
        examples=[["latest"]],
    )
    protect: tuple[TagPattern, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="Image tags that nothing of the steward's removes, nor the image that holds one, written as in "
        "`allow`. Other tags of such an image are answered as those of any other.",
        examples=[["release-*"]],
    )
    labels: Required | None = Field(
        default=None,
        description="Labels of the image config. Of an index, every image that it leads to must have them.",
        examples=[{"required": ["org.opencontainers.image.source"]}],
    )
    annotations: Required | None = Field(
        default=None,
        description="Annotations of the manifest, or of an index its own.",
        examples=[{"required": ["org.opencontainers.image.created"]}],
    )
    companions: Companions | None = Field(
        default=None,
        description="What must be beside an image, such as a signature or an SBOM.",
        examples=[{"required": ["cosign_signature"], "within": "1h"}],
    )
    aliases: Aliases | None = Field(
        default=None,
        description="Moving aliases of the versions.",
        examples=[{"from": "semver", "add": ["{major}-latest"]}],
    )
    expire: tuple[Expiry, ...] = Field(
        default=(),
        description="Image tags that go after a time; of several entries for a tag the first one decides. The image "
        "stays while it holds another tag, an index lists it, or a keep of `repository.lifecycle` protects it.",
        examples=[[{"tags": ["pr-*"], "after": "14d"}]],
    )
    on_violation: Literal["notify", "untag", "quarantine"] = Field(
        default="notify",
        description="What happens to an image tag that breaks the rule: people are told (`notify`), or also the tag is "
        "taken away. An image that holds no other tag of its own keeps it (`untag`), or gets a quarantine tag instead "
        "(`quarantine`). An image that lacks something loses all its tags for a quarantine tag, with either word.",
        examples=["quarantine"],
    )
