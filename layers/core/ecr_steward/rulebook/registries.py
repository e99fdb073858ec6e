"""The key ``registries``: settings of whole registries, which are those of an account in a region."""

from typing import Any, Literal, Self

from pydantic import Field, StrictBool, model_validator

from ecr_steward.rulebook import registry_words, words
from ecr_steward.rulebook.base import Name, RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.creation_templates import CreationTemplate


class RegistryMatch(RulebookModel):
    """Which registries an entry speaks about: those that every key of it fits."""

    accounts: tuple[words.AccountWord, ...] = Field(
        default=(),
        description="Account ids of twelve digits, in quotes; none means every account.",
        examples=[["111122223333"]],
    )
    regions: tuple[words.RegionGlob, ...] = Field(
        default=(), description="Regions, with `*`; none means every region.", examples=[["eu-west-1", "us-*"]]
    )


# ---------------------------------------------------------------- the registry policy


class RegistryStatement(RulebookModel):
    """A statement of a registry policy, in AWS's own words; its Sid gets the rulebook's prefix."""

    sid: str | None = Field(
        default=None,
        alias="Sid",
        pattern="^[A-Za-z0-9]{1,80}$",
        description="Its name, unique in the policy.",
        examples=["NoForeignRegions"],
    )
    effect: Literal["Allow", "Deny"] = Field(alias="Effect", description="Allow or Deny.", examples=["Allow"])
    principal: Literal["*"] | dict[str, str | list[str]] = Field(
        alias="Principal", description="Whom it is about.", examples=[{"AWS": "arn:aws:iam::222233334444:root"}]
    )
    action: str | list[str] = Field(alias="Action", description="Actions of ECR.", examples=[["ecr:ReplicateImage"]])
    resource: str | list[str] | None = Field(
        default=None,
        alias="Resource",
        description="ARNs of repositories; none means every repository of the registry.",
        examples=["arn:aws:ecr:eu-west-1:111122223333:repository/prod/*"],
    )
    condition: dict[str, dict[str, Any]] | None = Field(
        default=None,
        alias="Condition",
        description="When it holds.",
        examples=[{"StringEquals": {"aws:PrincipalOrgID": "o-abcde12345"}}],
    )


class RegistryPolicy(RulebookModel):
    """The registry policy: who may copy images here, and fill the cache of other registries."""

    replication_from: tuple[words.AccountId, ...] = Field(
        default=(),
        description="Accounts whose registries may replicate into this one, and create the repositories for it.",
        examples=[["222233334444"]],
    )
    pull_through_cache: tuple[words.PrincipalWord, ...] = Field(
        default=(),
        description="Who may let ECR fetch what its pull-through cache does not hold; words as in `policy.push` of a "
        "repository.",
        examples=[["account", "role/ci-*"]],
    )
    statements: tuple[RegistryStatement, ...] = Field(
        default=(),
        description="Further statements, as AWS writes them.",
        examples=[
            [
                {
                    "Sid": "Pull",
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::222233334444:root"},
                    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                }
            ]
        ],
    )
    foreign: Literal["keep", "remove"] = Field(
        default="keep",
        description="What becomes of statements that are not the rulebook's, whose Sids do not start with EcrSteward. "
        "Alone, `remove` means that there is no registry policy.",
        examples=["remove"],
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.replication_from or self.pull_through_cache or self.statements) and self.foreign == "keep":
            raise words.WrongWordError(
                "this asks for nothing: give it statements, or `foreign: remove` for no registry policy",
                code=Code.REGISTRY_SAYS_NOTHING,
            )
        return self


# ---------------------------------------------------------------- scanning


class ScanningRule(RulebookModel):
    """When images of some repositories are scanned."""

    frequency: Literal["on_push", "continuous", "manual"] = Field(
        description="`on_push`, for basic scans also `manual`, for enhanced ones also `continuous`.",
        examples=["on_push"],
    )
    repositories: registry_words.ScanFilters = Field(
        min_length=1,
        max_length=100,
        description="ECR's own filters: with a `*` the whole name, where `*` also stands for slashes; without, any "
        "part of it.",
        examples=[["*"]],
    )


class RegistryScanning(RulebookModel):
    """The scanning configuration, as a whole. What no rule is for is scanned on request (basic) or never (enhanced)."""

    type: Literal["basic", "enhanced"] = Field(
        description="`basic` scans are ECR's own, `enhanced` ones Amazon Inspector's, which are billed.",
        examples=["basic"],
    )
    rules: tuple[ScanningRule, ...] = Field(
        default=(),
        max_length=2,
        description="Which repositories are scanned when; at most one rule for each frequency.",
        examples=[[{"frequency": "on_push", "repositories": ["*"]}]],
    )


# ---------------------------------------------------------------- replication


class NativeDestination(RulebookModel):
    """A registry that ECR copies to; what is not named is as here."""

    account: words.AccountId | None = Field(
        default=None,
        description="Another account, by its id in quotes. Its registry policy must let this one replicate there.",
        examples=["222233334444"],
    )
    region: words.RegionWord | None = Field(default=None, description="Another region.", examples=["eu-west-1"])

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.account is None and self.region is None:
            raise words.WrongWordError(
                "a destination needs an `account`, a `region` or both", code=Code.DESTINATION_IS_SOURCE
            )
        return self


class NativeReplication(RulebookModel):
    """What ECR itself copies: every image that is pushed from now on, to repositories of the same name."""

    to: tuple[NativeDestination, ...] = Field(
        min_length=1,
        max_length=25,
        description="The registries to copy to. The registry itself is left out, so one list serves a whole mesh.",
        examples=[[{"region": "eu-west-1"}, {"account": "222233334444", "region": "us-east-1"}]],
    )
    repositories: registry_words.ReplicationPrefixes = Field(
        default=(),
        max_length=100,
        description="How the names of the repositories begin; none means every repository.",
        examples=[["prod/"]],
    )
    deletes: StrictBool | None = Field(
        default=None,
        description="Whether ECR deletes there, too, what is deleted here: at once, and whatever keeps it there. Not "
        "said, it stays as it is.",
        examples=[False],
    )


class RegistryReplication(RulebookModel):
    """The replication configuration. A rule in ECR for the same prefixes is taken for the rulebook's own."""

    rules: tuple[NativeReplication, ...] = Field(
        default=(),
        max_length=25,
        description="What is copied where. ECR takes ten rules in most regions, and 25 destinations in all.",
        examples=[[{"to": [{"region": "eu-west-1"}], "repositories": ["prod/"]}]],
    )
    foreign: Literal["keep", "remove"] = Field(
        default="keep",
        description="What becomes of rules for other prefixes. Alone, `remove` means that ECR replicates nothing.",
        examples=["remove"],
    )
    backfill: StrictBool = Field(
        default=False,
        description="Whether ECR also copies, once, what was there before it replicated. Transfer between regions is "
        "billed.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.rules and self.foreign == "keep":
            raise words.WrongWordError(
                "this asks for nothing: give it `rules`, or `foreign: remove` for no replication",
                code=Code.REGISTRY_SAYS_NOTHING,
            )
        if self.backfill and not self.rules:
            raise words.WrongWordError(
                "`backfill` asks for nothing without `rules`: nothing is replicated", code=Code.REGISTRY_SAYS_NOTHING
            )
        return self


# ---------------------------------------------------------------- account settings


class AccountSettings(RulebookModel):
    """What the account has switched on in the region."""

    blob_mounting: StrictBool | None = Field(
        default=None,
        description="Whether a push may take layers that another repository of the registry holds already.",
        examples=[True],
    )
    basic_scan_version: Literal["AWS_NATIVE"] | None = Field(
        default=None, description="The scanner of basic scans.", examples=["AWS_NATIVE"]
    )
    registry_policy_scope: Literal["V1", "V2"] | None = Field(
        default=None,
        description="What the registry policy is asked about: with `V2` every action, with `V1` only the three of "
        "replication and pull-through cache.",
        examples=["V2"],
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise words.WrongWordError(
                "this asks for nothing: name a setting",
                code=Code.REGISTRY_SAYS_NOTHING,
            )
        return self


class Registry(RulebookModel):
    """Settings of whole registries. Of all entries that match one, the first that says a key decides that key."""

    name: Name = Field(description="Every step names its rule.", examples=["all-registries"])
    match: RegistryMatch = Field(
        default=RegistryMatch(),
        description="The registries it speaks about; without it, every one.",
        examples=[{"accounts": ["111122223333"], "regions": ["eu-*"]}],
    )
    mode: Literal["observe", "enforce"] = Field(
        default="observe",
        description="`observe` plans and reports and changes nothing; `enforce` also applies.",
        examples=["enforce"],
    )
    policy: RegistryPolicy | None = Field(
        default=None,
        description="The registry policy.",
        examples=[{"replication_from": ["222233334444"], "foreign": "remove"}],
    )
    scanning: RegistryScanning | None = Field(
        default=None,
        description="How the registry scans.",
        examples=[{"type": "basic", "rules": [{"frequency": "on_push", "repositories": ["*"]}]}],
    )
    replication: RegistryReplication | None = Field(
        default=None,
        description="What ECR itself copies to other registries.",
        examples=[{"rules": [{"to": [{"region": "eu-west-1"}], "repositories": ["prod/"]}]}],
    )
    creation_templates: tuple[CreationTemplate, ...] | None = Field(
        default=None,
        min_length=1,
        description="What ECR gives to repositories that it creates. Templates of other prefixes are left alone.",
        examples=[[{"prefix": "ROOT", "applied_for": ["replication"], "settings_of": "services"}]],
    )
    account_settings: AccountSettings | None = Field(
        default=None, description="What is switched on.", examples=[{"blob_mounting": True}]
    )
