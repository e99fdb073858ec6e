"""The rulebook as its file writes it: one model per mapping, one field per key.

The models accept exactly what the steward carries out; a key that it does not know is an error. Field descriptions and
examples become the JSON Schema that editors show. What no single value can tell is checked in ``checks``.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StrictBool, Tag, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import Name, RulebookModel
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.settings import RepositoryRules
from ecr_steward.rulebook.waivers import Waiver


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

    from_: Literal["semver"] = Field(
        alias="from", description="The scheme that reads versions from image tags.", examples=["semver"]
    )
    add: tuple[words.AliasTemplate, ...] = Field(
        min_length=1,
        description="Templates of the aliases, filled from the version.",
        examples=[["{major}.{minor}-latest", "{major}-latest"]],
    )


class ImageTags(RulebookModel):
    """Which image tags a repository may hold, and which the steward adds."""

    allow: tuple[TagPattern, ...] = Field(
        default=(),
        description="The scheme `semver` (three-part versions, with or without `v`), a pattern with `*`, or a regex. "
        "None means every image tag that is not denied.",
        examples=[["semver", "main-*", {"regex": "sha-[0-9a-f]{7,40}"}]],
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


class FailOn(RulebookModel):
    """Which findings fail an image."""

    severity: Literal["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"] = Field(
        description="Findings of this severity and above fail an image, unless they are waived. A finding that nobody "
        "has given a severity yet fails none; the verdict names it.",
        examples=["HIGH"],
    )


class Scan(RulebookModel):
    """Which findings an image may have. An index is judged by the images that it points to."""

    fail_on: FailOn = Field(description="What makes an image fail.", examples=[{"severity": "HIGH"}])
    unscannable: Literal["fail", "pass"] = Field(
        default="fail",
        description="The verdict on an image that the scanner cannot scan, such as one of an unsupported system.",
        examples=["fail"],
    )


class Destination(RulebookModel):
    """Where images are copied to; what is not named is as at the source."""

    account: words.AccountId | None = Field(
        default=None,
        description="Another account, by its id in quotes. The template's parameter SpokeAccounts must name it.",
        examples=["222233334444"],
    )
    region: words.RegionWord | None = Field(default=None, description="Another region.", examples=["eu-west-1"])
    repository: words.RepositoryTemplate | None = Field(
        default=None, description="Another name; `{name}` is the source's.", examples=["release/{name}"]
    )

    @model_validator(mode="after")
    def _leads_elsewhere(self) -> Self:
        if self.account is None and self.region is None and self.repository in {None, "{name}"}:
            raise ValueError("a destination needs another `account`, `region` or `repository` than the source")
        return self


class Images(RulebookModel):
    """Which images are copied."""

    tags: tuple[TagPattern, ...] = Field(
        min_length=1, description="Only images with one of these image tags.", examples=[["semver"]]
    )


class Replicate(RulebookModel):
    """Copies that the steward makes and verifies."""

    to: tuple[Destination, ...] = Field(min_length=1, description="Where to.", examples=[[{"region": "eu-west-1"}]])
    images: Images | None = Field(
        default=None,
        description="Which images; none means all whose image tags break no rule.",
        examples=[{"tags": ["semver"]}],
    )
    when: tuple[Literal["scan_passed"], ...] = Field(
        default=(),
        min_length=1,
        description="What an image has to be before it is copied; no key: it is copied at once. `scan_passed`: the "
        "verdict of `scan` on it is a pass. Until its scan has ended there is no verdict, so an image that nobody "
        "scans is not copied.",
        examples=[["scan_passed"]],
    )
    referrers: StrictBool = Field(
        default=True, description="Whether signatures, SBOMs and attestations travel along.", examples=[True]
    )


class Rule(RulebookModel):
    """One rule. A rule that only matches exempts these repositories from the rules below it."""

    name: Name = Field(description="Every step and every violation names its rule.", examples=["services"])
    match: Match = Field(description="The repositories it speaks about.", examples=[{"repositories": ["team-*/**"]}])
    mode: Literal["observe", "enforce"] = Field(
        default="observe",
        description="`observe` plans and reports and changes nothing; `enforce` also applies.",
        examples=["enforce"],
    )
    image_tags: ImageTags | None = Field(
        default=None, description="Which image tags there may be.", examples=[{"allow": ["semver"], "deny": ["latest"]}]
    )
    repository: RepositoryRules | None = Field(
        default=None, description="Settings of the repositories.", examples=[{"scanning": "on_push"}]
    )
    scan: Scan | None = Field(
        default=None,
        description="Which findings its images may have; `replicate` can wait for the verdict. With enhanced scanning, "
        "an image that Inspector no longer watches (SCAN_ELIGIBILITY_EXPIRED) fails like one whose scan failed: let "
        "Inspector's re-scan duration be as long as images are in use.",
        examples=[{"fail_on": {"severity": "HIGH"}}],
    )
    replicate: tuple[Replicate, ...] = Field(
        default=(), description="Copies to other registries.", examples=[[{"to": [{"region": "eu-west-1"}]}]]
    )


class Rulebook(RulebookModel):
    """How the registry should be."""

    version: Literal[1] = Field(description="Of the rulebook's grammar.", examples=[1])
    rules: tuple[Rule, ...] = Field(
        min_length=1,
        description="The rules. Of those that match a repository, the first one governs it.",
        examples=[[{"name": "services", "match": {"repositories": ["team-*/**"]}}]],
    )
    waivers: tuple[Waiver, ...] = Field(
        default=(),
        description="Findings that are tolerated for a time.",
        examples=[
            [
                {
                    "finding": "CVE-2026-12345",
                    "repositories": ["team-a/**"],
                    "until": "2027-01-31",
                    "reason": "the service never parses foreign XML",
                    "owner": "team-a",
                }
            ]
        ],
    )
    credentials: tuple[Credential, ...] = Field(
        default=(),
        description="Registry logins that are kept fresh where somebody else reads them.",
        examples=[
            [
                {
                    "name": "on-prem-cluster",
                    "registries": [{"region": "us-east-1"}],
                    "sinks": [{"secretsmanager": "ecr-steward/on-prem-cluster"}],
                }
            ]
        ],
    )
