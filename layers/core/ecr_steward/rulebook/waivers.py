"""The key ``waivers``: findings that are tolerated for a time."""

from pydantic import Field

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel


class Waiver(RulebookModel):
    """A finding that does not fail an image for a time, in some repositories."""

    finding: words.FindingName = Field(
        description="The finding, spelled as the scanner names it: a CVE, or an advisory such as GHSA-... or ALAS2-...",
        examples=["CVE-2026-12345"],
    )
    repositories: tuple[words.RepositoryGlob, ...] = Field(
        min_length=1,
        description="Where it is tolerated; patterns as in `match`.",
        examples=[["team-a/**"]],
    )
    until: words.Day = Field(
        description="The last day on which it is tolerated, in UTC. From the next day on the finding fails again.",
        examples=["2027-01-31"],
    )
    reason: words.Text = Field(description="Why it is tolerated.", examples=["the service never parses foreign XML"])
    owner: words.Text | None = Field(
        default=None, description="Whom to ask, and who answers for it.", examples=["team-a"]
    )
