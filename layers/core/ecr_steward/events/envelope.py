"""What every event has in common: the EventBridge envelope, and one way to read a payload.

Unknown keys are let through, since AWS adds some; what the steward uses is checked strictly.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, AliasGenerator, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef, image_tag
from ecr_steward.errors import MalformedEventError

_QUOTED_CHARACTERS = 60


def _kebab(name: str) -> str:
    return name.replace("_", "-")


def _is_digest(text: str) -> str:
    return Digest(text).value


def _is_repository_name(text: str) -> str:
    return RepositoryRef(RegistryRef("000000000000", "us-east-1"), text).name


def _is_region(text: str) -> str:
    return RegistryRef("000000000000", text).region


type AccountId = Annotated[str, Field(pattern="^[0-9]{12}$")]
type Region = Annotated[str, AfterValidator(_is_region), Field(examples=["eu-west-1"])]
type RepositoryNameText = Annotated[str, AfterValidator(_is_repository_name), Field(examples=["team-a/api"])]
type DigestText = Annotated[str, AfterValidator(_is_digest), Field(examples=[f"sha256:{'0' * 64}"])]
type ImageTagText = Annotated[str, AfterValidator(image_tag), Field(examples=["1.4.2"])]


class EventModel(BaseModel):
    """Base of all event models. Keys are written with dashes, as ECR writes them."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, alias_generator=_kebab)


class CamelModel(BaseModel):
    """Base of what comes in an event from services that write ``likeThis``: CloudTrail, Inspector."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", strict=True, alias_generator=AliasGenerator(validation_alias=to_camel)
    )


class Envelope(EventModel):
    """The part of an EventBridge event that says what happened where. ``detail`` is each subclass's own."""

    id: Annotated[str, Field(min_length=1)]
    source: str
    detail_type: str
    account: AccountId
    region: Region

    @property
    def registry(self) -> RegistryRef:
        """The registry that the event is about: that of the envelope's account and region."""
        return RegistryRef(self.account, self.region)


class ImageDetail(EventModel):
    """The keys by which a detail names an image."""

    repository_name: RepositoryNameText = Field(description="The repository, without its registry.")
    image_digest: DigestText = Field(description="Of the image or index.")

    def image_in(self, registry: RegistryRef) -> ImageRef:
        """The image that this detail means, in a registry."""
        return ImageRef(RepositoryRef(registry, self.repository_name), Digest(self.image_digest))


def optional_image_tag(text: str | None) -> ImageTag | None:
    """``image-tag`` of ECR: missing or empty for a push by digest."""
    return image_tag(text) if text else None


def parse[Model: BaseModel](model: type[Model], event: object) -> Model:
    """Read an event. Raises MalformedEventError, which names every place that is wrong and what was found there."""
    try:
        return model.model_validate(event)
    except ValidationError as cause:
        wrongs = "; ".join(_sentence(error) for error in cause.errors(include_url=False))
        raise MalformedEventError(f"{_kind_of(event)} is malformed: {wrongs}") from cause


def parse_json(text: str | bytes) -> object:
    """Read a JSON document. Raises MalformedEventError, which says where reading stopped."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise MalformedEventError(f"the message is no JSON: {cause} (found {_quote(text)})") from cause


def _kind_of(event: object) -> str:
    if not isinstance(event, Mapping):
        return "the event"
    kind, event_id = event.get("detail-type"), event.get("id")
    named = f"the event {_quote(kind)}" if isinstance(kind, str) else "an event without detail-type"
    return f"{named} with id {_quote(event_id)}" if isinstance(event_id, str) else named


def _sentence(error: Any) -> str:
    place = _place(error["loc"])
    if error["type"] == "missing":
        return f"{place} is missing"
    if error["type"] == "value_error":  # one of our own names, which quotes what it found
        return f"{place}: {error['ctx']['error']}"
    return f"{place}: {error['msg'][0].lower()}{error['msg'][1:]}, but found {_quote(error['input'])}"


def _place(loc: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in loc) or "the event as a whole"


def _quote(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _QUOTED_CHARACTERS else f"{text[:_QUOTED_CHARACTERS]}..."
