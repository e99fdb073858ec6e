"""*Image Withdrawn*, as others receive it."""

from typing import Literal, Self

from pydantic import Field

from ecr_steward.domain.names import RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.notices import ImageWithdrawn
from ecr_steward.events.envelope import AccountId, Envelope, EventModel, ImageTagText, Region, RepositoryNameText
from ecr_steward.events.own_base import OwnDetail, common_keys


class WithdrawnFrom(EventModel):
    """The repository that has lost the image tags."""

    account: AccountId = Field(description="Of the destination registry.")
    region: Region = Field(description="Of the destination registry.")
    repository_name: RepositoryNameText = Field(description="Of the replica.")


class ImageWithdrawnDetail(OwnDetail):
    """An image failed its scan after it was copied, and a destination has lost its image tags."""

    DETAIL_TYPE = "Image Withdrawn"

    rule: str = Field(description="The name of the rule that asked for it.")
    destination: WithdrawnFrom = Field(description="Where it was withdrawn.")
    image_tags: list[ImageTagText] = Field(description="The image tags that it lost there, sorted.")
    why: str = Field(description="For people: why it failed.")

    @classmethod
    def of(cls, notice: ImageWithdrawn) -> Self:
        """The event for a notice."""
        to = notice.destination
        return cls.model_validate(
            {
                **common_keys(notice.source),
                "rule": notice.rule,
                "destination": {
                    "account": to.registry.account,
                    "region": to.registry.region,
                    "repository-name": to.name,
                },
                "image-tags": sorted(notice.image_tags),
                "why": notice.why,
            }
        )

    def to_notice(self) -> ImageWithdrawn:
        """The notice that this event carries."""
        to = self.destination
        destination = RepositoryRef(RegistryRef(to.account, to.region), to.repository_name)
        return ImageWithdrawn(self.rule, self.image, destination, frozenset(map(image_tag, self.image_tags)), self.why)


class ImageWithdrawnEvent(Envelope):
    """*Image Withdrawn*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Image Withdrawn"]
    detail: ImageWithdrawnDetail
