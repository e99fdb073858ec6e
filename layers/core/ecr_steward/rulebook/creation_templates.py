"""The key ``registries[].creation_templates``: what ECR gives to repositories that it creates itself."""

from typing import Annotated

from pydantic import Field

from ecr_steward.rulebook import registry_words, words
from ecr_steward.rulebook.base import Name, RulebookModel
from ecr_steward.rulebook.encryption import Encryption
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.settings import Mutability


class CreationTemplate(RulebookModel):
    """What ECR gives to repositories below a prefix that it creates itself. It changes no repository that is there."""

    prefix: registry_words.TemplatePrefix = Field(
        description="Whole parts of a name, such as `team-a/`; of several that fit the longest counts. `ROOT` is for "
        "all that no other template is for.",
        examples=["team-a/"],
    )
    applied_for: registry_words.AppliedFor = Field(
        min_length=1,
        description="What makes ECR create a repository by it. Without a template for it, a push creates none.",
        examples=[["replication", "create_on_push"]],
    )
    settings_of: Name | None = Field(
        default=None,
        description="A rule of this rulebook whose `repository` settings are the template's, where they are not named "
        "here: policy, lifecycle, mutability and resource tags.",
        examples=["services"],
    )
    policy: Policy | None = Field(
        default=None, description="The repository policy.", examples=[{"pull": ["account"], "push": ["role/ci-*"]}]
    )
    lifecycle: tuple[LifecycleEntry, ...] | None = Field(
        default=None,
        max_length=50,
        description="The lifecycle policy, highest priority first. `[]`: none.",
        examples=[[{"expire": {"untagged": True, "after": "14d"}}], []],
    )
    mutability: Mutability | None = Field(
        default=None, description="Tag mutability.", examples=[{"immutable": True, "except": ["*-latest"]}]
    )
    resource_tags: dict[words.ResourceTagKey, words.ResourceTagValue] = Field(
        default={},
        max_length=50,
        description="AWS resource tags of the repositories. ECR needs a `role` to set them.",
        examples=[{"managed-by": "ecr-steward"}],
    )
    encryption: Encryption | None = Field(
        default=None, description="Encryption. ECR needs a `role` to use a KMS key.", examples=[{"type": "kms"}]
    )
    role: registry_words.TemplateRole | None = Field(
        default=None,
        description="The name of the role, in the registry's account, that ECR creates the repositories as.",
        examples=["ecr-steward-creation-template"],
    )
    description: Annotated[str, Field(max_length=256)] | None = Field(
        default=None, description="What people read in the console.", examples=["Repositories of team A"]
    )
