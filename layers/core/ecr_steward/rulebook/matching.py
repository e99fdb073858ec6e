"""The key ``match``: which repositories a rule speaks about."""

from pydantic import Field

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.limits import MOST_ENTRIES


class Match(RulebookModel):
    """Which repositories a rule speaks about: those that every key of it fits."""

    repositories: tuple[words.RepositoryGlob, ...] = Field(
        min_length=1,
        max_length=MOST_ENTRIES,
        description="Repository names: `*` stands for anything but a slash, `**` between slashes for any depth.",
        examples=[["team-*/**"]],
    )
    exclude: tuple[words.RepositoryGlob, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="Repository names that are left out again; patterns as in `repositories`.",
        examples=[["team-*/sandbox/**"]],
    )
    accounts: tuple[words.AccountWord, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="Account ids of twelve digits, in quotes; none means every account.",
        examples=[["111122223333"]],
    )
    regions: tuple[words.RegionGlob, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="Regions, with `*`; none means every region.",
        examples=[["eu-west-1", "us-*"]],
    )
    resource_tags: dict[words.ResourceTagKey, words.ResourceTagValue] = Field(
        default={},
        max_length=50,
        description="AWS resource tags that the repository carries, all of them; `*` in a value stands for anything.",
        examples=[{"tier": "prod"}],
    )
