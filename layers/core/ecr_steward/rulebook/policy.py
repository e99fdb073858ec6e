"""The key ``repository.policy``: who may pull and push."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel


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
