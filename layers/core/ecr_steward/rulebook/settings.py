"""The key ``repository``: the settings that the repositories of a rule have."""

from typing import Literal

from pydantic import Field, StrictBool

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.encryption import Encryption
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.policy import Policy


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
        max_length=50,
        description="Which images stay, which expire and which are archived; of entries that select an image the first "
        "decides. ECR's own lifecycle policy does what it can say, the steward's sweep the rest. `[]`: no image "
        "expires, and a lifecycle policy that is there is deleted. Left out: it is left as it is.",
        examples=[
            [{"keep": {"newest": 30, "tags": ["*.*.*"]}}, {"expire": {"untagged": True, "after": "14d"}}],
            [{"keep": {"in_use": ["ecs", "lambda"]}}, {"expire": {"not_pulled_for": "90d"}}],
            [],
        ],
    )
    mutability: Mutability | None = Field(
        default=None, description="Tag mutability.", examples=[{"immutable": True, "except": ["*-latest"]}]
    )
    scanning: Literal["on_push", "manual"] | None = Field(
        default=None,
        description="When ECR's basic scan runs, where no scanning rule of the registry decides it instead.",
        examples=["on_push"],
    )
    encryption: Encryption | None = Field(
        default=None,
        description="How images are encrypted. New repositories that the steward creates get it; of others a "
        "difference is only reported, since ECR cannot change it.",
        examples=[{"type": "kms"}],
    )
    resource_tags: dict[words.ResourceTagKey, words.ResourceTagValue] = Field(
        default={},
        max_length=50,
        description="AWS resource tags that the repository carries; others stay.",
        examples=[{"managed-by": "ecr-steward"}],
    )
