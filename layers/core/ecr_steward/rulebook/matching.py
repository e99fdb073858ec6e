"""The key ``match``: which repositories a rule speaks about."""

from pydantic import Field

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel


class Match(RulebookModel):
    """Which repositories a rule speaks about. Of the rules that match a repository, the first one governs it."""

    repositories: tuple[words.RepositoryGlob, ...] = Field(
        min_length=1,
        description="Repository names: `*` stands for anything but a slash, `**` between slashes for any depth.",
        examples=[["team-*/**"]],
    )
    accounts: tuple[words.AccountWord, ...] = Field(
        default=(),
        description="Account ids of twelve digits, in quotes; none means every account.",
        examples=[["111122223333"]],
    )
    regions: tuple[words.RegionGlob, ...] = Field(
        default=(), description="Regions, with `*`; none means every region.", examples=[["eu-west-1", "us-*"]]
    )
