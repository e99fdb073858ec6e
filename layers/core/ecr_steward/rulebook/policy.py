"""The key ``repository.policy``: who may pull and push."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.words import WrongWordError


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
    """The repository policy: who may pull and push, in short words, beside what others have put there."""

    pull: tuple[words.PullerWord, ...] = Field(
        default=(),
        description="Who may pull: `account` (the repository's own), an account id, `org:o-...`, an organizational "
        "unit with all below it `ou:o-.../r-.../ou-.../*`, `role/NAME` or `user/NAME` of the own account and "
        "`ACCOUNT:role/NAME` of another, each with `*`; `lambda` and `codebuild` for the functions and build projects "
        "of the own account, `lambda:ACCOUNT` and `codebuild:ACCOUNT` for those of another.",
        examples=[["account", "222233334444", "org:o-abcde12345", "lambda"]],
    )
    push: tuple[words.PrincipalWord, ...] = Field(
        default=(),
        description="Who may push and pull; words as in `pull`, but for `lambda` and `codebuild`, which only pull.",
        examples=[["role/ci-*"]],
    )
    statements: tuple[PolicyStatement, ...] = Field(
        default=(),
        description="Further statements, as AWS writes them.",
        examples=[
            [{"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "ecr:BatchGetImage"}]
        ],
    )
    foreign: Literal["keep", "remove"] = Field(
        default="keep",
        description="What becomes of statements that the rulebook did not put there: those whose Sid does not begin "
        "with `EcrSteward`. Alone, `remove` means that there is no repository policy.",
        examples=["remove"],
    )
    outside: Literal["keep", "remove"] = Field(
        default="keep",
        description="What becomes of those parts of them that let in the public, accounts and organizations that this "
        "policy does not name, or roles and users that were deleted.",
        examples=["remove"],
    )
    inside: tuple[words.InsideWord, ...] = Field(
        default=(),
        description="Accounts and organizations that are no outsiders although `pull` and `push` do not name them.",
        examples=[["333344445555", "org:o-abcde12345"]],
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.pull or self.push or self.statements or "remove" in (self.foreign, self.outside)):
            raise WrongWordError(
                "this policy says nothing",
                "`pull`, `push`, `statements` or `outside: remove`, or `foreign: remove` alone for no policy at all",
                code=Code.POLICY_EMPTY,
            )
        if self.inside and (self.outside == "keep" or self.foreign == "remove"):
            raise WrongWordError(
                "`inside` says who is no outsider, and outsiders are not looked for here",
                "`outside: remove` beside it",
                code=Code.POLICY_EMPTY,
            )
        return self
