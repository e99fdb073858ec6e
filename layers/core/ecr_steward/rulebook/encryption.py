"""The key ``encryption`` of repositories and of creation templates."""

from typing import Literal, Self

from pydantic import Field, model_validator

from ecr_steward.rulebook import words
from ecr_steward.rulebook.base import RulebookModel
from ecr_steward.rulebook.codes import Code


class Encryption(RulebookModel):
    """How ECR encrypts what a repository holds. It is set when the repository is created, and never again."""

    type: Literal["aes256", "kms", "kms_dsse"] = Field(description="The kind of encryption.", examples=["kms"])
    key: str | None = Field(
        default=None,
        pattern=r"^arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[a-z0-9-]+$",
        description="The ARN of a KMS key in the region of the registry; none leaves it open: a new one gets AWS's "
        "own.",
        examples=["arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"],
    )

    @model_validator(mode="after")
    def _has_a_key_where_there_can_be_one(self) -> Self:
        if self.key is not None and self.type == "aes256":
            raise words.WrongWordError(
                "a `key` goes with the types kms and kms_dsse: with aes256, S3 has the keys", code=Code.KEY_WITHOUT_KMS
            )
        return self
