"""What the details of all our own events have in common."""

from typing import ClassVar, Literal

from pydantic import Field

from ecr_steward.domain.names import ImageRef, RegistryRef
from ecr_steward.events.envelope import AccountId, EventModel, ImageDetail, Region


class OwnEvent(EventModel):
    """``detail`` of an event of ours."""

    DETAIL_TYPE: ClassVar[str]

    version: Literal["1"] = Field(description="Of this event's shape.")


class OwnDetail(OwnEvent, ImageDetail):
    """``detail`` of an event of ours that is about an image."""

    account: AccountId = Field(description="Of the registry that holds the image.")
    region: Region = Field(description="Of the registry that holds the image.")

    @property
    def image(self) -> ImageRef:
        """The image that this event is about."""
        return self.image_in(RegistryRef(self.account, self.region))


def common_keys(image: ImageRef) -> dict[str, str]:
    """The keys that say which image an event is about, and in which version of its shape."""
    registry = image.repository.registry
    return {
        "version": "1",
        "account": registry.account,
        "region": registry.region,
        "repository-name": image.repository.name,
        "image-digest": image.digest.value,
    }
