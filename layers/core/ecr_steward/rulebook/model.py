"""The rulebook as its file writes it: one model per mapping, one field per key, one module per section.

The models accept exactly what the steward carries out; a key that it does not know is an error. Field descriptions and
examples become the JSON Schema that editors show. What no single value can tell is checked in ``checks``.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, StrictBool

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import Name, RulebookModel
from ecr_steward.rulebook.brake import Brake
from ecr_steward.rulebook.credentials import Credential
from ecr_steward.rulebook.image_tags import ImageTags
from ecr_steward.rulebook.limits import MOST_ENTRIES, MOST_RULES, MOST_WAIVERS
from ecr_steward.rulebook.matching import Match
from ecr_steward.rulebook.registries import Registry
from ecr_steward.rulebook.replicate import Replicate
from ecr_steward.rulebook.scans import Scan
from ecr_steward.rulebook.settings import RepositoryRules
from ecr_steward.rulebook.waivers import Waiver


class Sections(RulebookModel):
    """What a rule can say. Each key is a section of its own, and so is each key of `repository`."""

    mode: Literal["observe", "enforce"] = Field(
        default="observe",
        description="`observe` plans and reports and changes nothing; `enforce` also applies.",
        examples=["enforce"],
    )
    brake: Brake | None = Field(
        default=None,
        description="How much may be taken away before a person has to look.",
        examples=[{"removals": 50, "share": "25%"}],
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
        default=(),
        description="Copies to other registries; an empty list says that there are none, whatever rules below say.",
        examples=[[{"to": [{"region": "eu-west-1"}]}]],
    )


class Defaults(Sections):
    """What rules leave unsaid: whole sections, `mode`, and keys inside `brake`, `image_tags` and `scan`."""


class _ProfileHead(RulebookModel):
    name: Name = Field(description="What `extends` calls it.", examples=["baseline"])
    extends: tuple[Name, ...] = Field(
        default=(),
        description="Profiles whose keys hold where this one is silent; the first one wins.",
        examples=[["base"]],
    )


class Profile(Sections, _ProfileHead):  # in this order, the head's keys come first where keys are listed
    """Sections under a name, for rules and other profiles to extend."""


class _RuleHead(RulebookModel):
    name: Name = Field(description="Every step and every violation names its rule.", examples=["services"])
    match: Match = Field(description="The repositories it speaks about.", examples=[{"repositories": ["team-*/**"]}])
    extends: tuple[Name, ...] = Field(
        default=(),
        description="Profiles whose keys hold where this rule is silent; the first one wins.",
        examples=[["baseline"]],
    )
    final: StrictBool = Field(
        default=False,
        description="Whether the rules below, and `defaults`, have no say in what this one matches. A rule that is "
        "nothing else exempts its repositories.",
        examples=[True],
    )


class Rule(Sections, _RuleHead):
    """One rule. Of all rules that match a repository, the first one that says a section decides it."""


class Rulebook(RulebookModel):
    """How the registry should be."""

    version: Literal[1] = Field(description="Of the rulebook's grammar.", examples=[1])
    infrastructure_code: dict[words.ResourceTagKey, tuple[words.ResourceTagValue, ...]] = Field(
        default={},
        max_length=50,
        description="Resource tags by which one knows a repository that other code owns, such as Terraform. Whatever "
        "its rules say, its settings are only reported on. `*` in a value stands for anything. A principal that may "
        "set these resource tags (ecr:TagResource) decides that.",
        examples=[{"managed-by": ["terraform", "cloudformation"]}],
    )
    infrastructure_code_owns: tuple[Literal["settings", "image_tags", "scan", "replicate"], ...] = Field(
        default=("settings",),
        min_length=1,
        description="What of such a repository is only reported on: `settings` are all keys of `repository`, with "
        "what its lifecycle deletes. Image tags, verdicts and copies are enforced unless they are named here, too.",
        examples=[["settings", "image_tags"]],
    )
    defaults: Defaults | None = Field(
        default=None,
        description="What rules leave unsaid, for every repository that a rule matches.",
        examples=[{"repository": {"scanning": "on_push"}}],
    )
    profiles: tuple[Profile, ...] = Field(
        default=(),
        max_length=MOST_RULES,
        description="Sections under a name, for rules to extend.",
        examples=[[{"name": "baseline", "repository": {"scanning": "on_push"}}]],
    )
    rules: tuple[Rule, ...] = Field(
        min_length=1,
        max_length=MOST_RULES,
        description="The rules, the most particular ones first: of those that match a repository, the first one that "
        "says a section decides it.",
        examples=[[{"name": "services", "match": {"repositories": ["team-*/**"]}}]],
    )
    registries: tuple[Registry, ...] = Field(
        default=(),
        max_length=MOST_ENTRIES,
        description="Settings of whole registries: of those that match one, the first one that says a key decides it.",
        examples=[[{"name": "all-registries", "account_settings": {"blob_mounting": True}}]],
    )
    waivers: tuple[Waiver, ...] = Field(
        default=(),
        max_length=MOST_WAIVERS,
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
        max_length=MOST_ENTRIES,
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

    @property
    def sections(self) -> Iterator[tuple[tuple[str | int, ...], Sections]]:
        """All that has sections, as it is written and with its place: rules, profiles and defaults."""
        for key, listed in (("rules", self.rules), ("profiles", self.profiles)):
            yield from (((key, position), said) for position, said in enumerate(listed))
        if self.defaults is not None:
            yield ("defaults",), self.defaults
