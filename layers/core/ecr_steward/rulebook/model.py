"""The rulebook as its file writes it: one model per mapping, one field per key.

The models accept exactly what the steward carries out; a key that it does not know is an error. Field descriptions and
examples become the JSON Schema that editors show. What no single value can tell is checked in ``checks``.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    Tag,
    model_validator,
)

from ecr_steward.rulebook import words

Name = Annotated[str, Field(pattern="^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")]


def _one_pattern(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if len(patterns) != 1:
        raise ValueError("write one pattern; ECR takes several for `all of them must match`, so make an entry for each")
    return patterns


OneTagFilter = Annotated[
    tuple[words.TagFilter, ...], AfterValidator(_one_pattern), Field(json_schema_extra={"minItems": 1, "maxItems": 1})
]


class RulebookModel(BaseModel):
    """Base of the rulebook's models: unknown keys are errors, and a rulebook that was read does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", regex_engine="python-re")


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


class PolicyStatement(RulebookModel):
    """A statement of a repository policy, in AWS's own words; it is passed on as it is."""

    sid: str | None = Field(
        default=None, alias="Sid", description="Its name, unique in the policy.", examples=["Scanner"]
    )
    effect: Literal["Allow", "Deny"] = Field(alias="Effect", description="Allow or Deny.", examples=["Allow"])
    principal: Literal["*"] | dict[str, str | list[str]] = Field(
        alias="Principal", description="Whom it is about.", examples=[{"Service": "codebuild.amazonaws.com"}]
    )
    action: str | list[str] = Field(
        alias="Action", description="Actions of ECR.", examples=[["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]]
    )
    condition: dict[str, dict[str, Any]] | None = Field(
        default=None,
        alias="Condition",
        description="When it holds.",
        examples=[{"StringEquals": {"aws:SourceAccount": "111122223333"}}],
    )


class Policy(RulebookModel):
    """The repository policy: who may pull and push, in short words. It replaces the whole policy."""

    pull: tuple[words.PrincipalWord, ...] = Field(
        default=(),
        description="Who may pull: `account` (the repository's own), an account id, `org:o-...` or `role/NAME`.",
        examples=[["account", "222233334444", "org:o-abcde12345"]],
    )
    push: tuple[words.PrincipalWord, ...] = Field(
        default=(), description="Who may push and pull; words as in `pull`.", examples=[["role/ci-*"]]
    )
    statements: tuple[PolicyStatement, ...] = Field(
        default=(),
        description="Further statements, as AWS writes them.",
        examples=[
            [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "ecr:BatchGetImage"}]
        ],
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.pull or self.push or self.statements):
            raise ValueError("an empty policy is none that ECR takes: give it `pull`, `push` or `statements`")
        return self


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


class Mutability(RulebookModel):
    """Which image tags may move to another image."""

    immutable: StrictBool = Field(description="Whether image tags stay where they are.", examples=[True])
    except_: tuple[words.TagFilter, ...] = Field(
        default=(),
        alias="except",
        max_length=5,
        description="Image tags for which the opposite holds. ECR takes at most five, and `*` as the only wildcard.",
        examples=[["*-latest"]],
    )


class RepositoryRules(RulebookModel):
    """The settings of the repositories. What is not named here is left as it is."""

    policy: Policy | None = Field(
        default=None, description="The repository policy.", examples=[{"pull": ["account"], "push": ["role/ci-*"]}]
    )
    lifecycle: tuple[LifecycleEntry, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="The lifecycle policy, highest priority first.",
        examples=[[{"keep": {"newest": 30, "tags": ["*.*.*"]}}, {"expire": {"untagged": True, "after": "14d"}}]],
    )
    mutability: Mutability | None = Field(
        default=None, description="Tag mutability.", examples=[{"immutable": True, "except": ["*-latest"]}]
    )
    scanning: Literal["on_push", "manual"] | None = Field(
        default=None, description="When ECR's basic scan runs.", examples=["on_push"]
    )
    resource_tags: dict[words.ResourceTagKey, words.ResourceTagValue] = Field(
        default={},
        max_length=50,
        description="AWS resource tags that the repository carries; others stay.",
        examples=[{"managed-by": "ecr-steward"}],
    )


class Destination(RulebookModel):
    """Where images are copied to, in the account of the source; what is not named is as there."""

    region: words.RegionWord | None = Field(default=None, description="Another region.", examples=["eu-west-1"])
    repository: words.RepositoryTemplate | None = Field(
        default=None, description="Another name; `{name}` is the source's.", examples=["release/{name}"]
    )

    @model_validator(mode="after")
    def _leads_elsewhere(self) -> Self:
        if self.region is None and self.repository in {None, "{name}"}:
            raise ValueError("a destination needs another `region` or `repository` than the source")
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
