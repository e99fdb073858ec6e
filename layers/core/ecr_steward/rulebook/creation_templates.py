"""The key ``registries[].creation_templates``: what ECR gives to repositories that it creates itself."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from ecr_steward.rulebook import registry_words, words
from ecr_steward.rulebook.base import Name, RulebookModel
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.policy import Policy
from ecr_steward.rulebook.settings import Mutability


class TemplateEncryption(RulebookModel):
    """How ECR encrypts what the repositories hold. It cannot be changed later."""

    type: Literal["aes256", "kms", "kms_dsse"] = Field(description="The kind of encryption.", examples=["kms"])
    key: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$",
        description="The ARN of a KMS key in the region of the registry; none means AWS's own.",
        examples=["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    )

    @model_validator(mode="after")
    def _has_a_key_where_there_can_be_one(self) -> Self:
        if self.key is not None and self.type == "aes256":
            raise words.WrongWordError(
                "a `key` goes with the types kms and kms_dsse: with aes256, S3 has the keys", code=Code.KEY_WITHOUT_KMS
            )
        return self


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
        min_length=1,
        max_length=50,
        description="The lifecycle policy, highest priority first.",
        examples=[[{"expire": {"untagged": True, "after": "14d"}}]],
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
    encryption: TemplateEncryption | None = Field(
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
