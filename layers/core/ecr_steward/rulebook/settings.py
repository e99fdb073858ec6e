"""The key ``repository``: the settings that the repositories of a rule have."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictInt, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel


def _one_pattern(patterns: tuple[str, ...]) -> tuple[str, ...]:
    if len(patterns) != 1:
        raise ValueError("write one pattern; ECR takes several for `all of them must match`, so make an entry for each")
    return patterns


OneTagFilter = Annotated[
    tuple[words.TagFilter, ...], AfterValidator(_one_pattern), Field(json_schema_extra={"minItems": 1, "maxItems": 1})
]


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
    except_: tuple[words.ExceptionFilter, ...] = Field(
        default=(),
        alias="except",
        max_length=5,
        description="Image tags for which the opposite holds. ECR takes at most five, with at most two `*` in each.",
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
