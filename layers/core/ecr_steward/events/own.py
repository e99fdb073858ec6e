"""The steward's own events, as others receive them. Their JSON Schemas stand in ``schemas/``.

A change that a receiver could notice as broken gets a new ``version``; new optional keys do not.
"""

from typing import Any, Literal, Self

from pydantic import AwareDatetime, ConfigDict, Field, model_validator
from pydantic.json_schema import GenerateJsonSchema

from ecr_steward.domain.names import Digest, ImageRef, OtherRepository, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.notices import (
    AccessWidened,
    BrakeHeld,
    CredentialRefreshed,
    ImageReplicated,
    ImageVerdict,
    ImageWithdrawn,
    Notice,
    RulebookRefused,
    RulesChanged,
    ViolationFound,
)
from ecr_steward.domain.scans import Verdict
from ecr_steward.events.access_widened import AccessWidenedDetail
from ecr_steward.events.brake_held import BrakeHeldDetail
from ecr_steward.events.envelope import (
    AccountId,
    DigestText,
    Envelope,
    EventModel,
    ImageTagText,
    Region,
    RepositoryNameText,
    optional_image_tag,
)
from ecr_steward.events.image_withdrawn import ImageWithdrawnDetail
from ecr_steward.events.own_base import OwnDetail, OwnEvent, common_keys
from ecr_steward.events.replication_requested import ReplicationRequestedDetail
from ecr_steward.events.repository_pushed import RepositoryPushedDetail
from ecr_steward.events.rulebook_refused import RulebookRefusedDetail
from ecr_steward.events.rules_changed import RulesChangedDetail


class ViolationFoundDetail(OwnEvent):
    """An image tag, an image as a whole, or a repository broke a rule of the rulebook.

    Whoever knows version 1 finds what it promised in every event that still says so: an image and its image tag.
    """

    DETAIL_TYPE = "Violation Found"

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"version": {"const": "1"}}},
            "then": {"required": ["image-digest", "image-tag"]},
        }
    )

    version: Literal["1", "2"] = Field(  # type: ignore[assignment]
        description="Of this event's shape: `1` where an image tag broke the rule, `2` where it was something else."
    )
    account: AccountId = Field(description="Of the registry.")
    region: Region = Field(description="Of the registry.")
    repository_name: RepositoryNameText = Field(description="The repository, without its registry.")
    image_digest: DigestText | None = Field(
        default=None, description="Of the image or index; missing where the repository itself broke the rule."
    )
    rule: str = Field(description="The name of the rule that was broken.")
    why: str = Field(description="For people: what is wrong.")
    image_tag: ImageTagText | None = Field(
        default=None, description="The image tag that broke the rule; missing where it was no single one."
    )
    answer: Literal["observe", "notify", "untag", "quarantine"] = Field(
        description="What was done about it; `observe` where the rule only observes, `notify` also where the image tag "
        "is protected or the image's only one."
    )
    quarantine_tag: ImageTagText | None = Field(default=None, description="Under which the image stays reachable.")

    @model_validator(mode="after")
    def _says_which_image_tag(self) -> Self:
        if self.version == "1" and not (self.image_digest and self.image_tag):
            raise ValueError("version 1 names an image-digest and an image-tag")
        if self.image_tag and not self.image_digest:
            raise ValueError("an image-tag is one of an image: image-digest is missing")
        return self

    @classmethod
    def of(cls, notice: ViolationFound) -> Self:
        """The event for a notice."""
        subject = notice.subject
        repository = subject.repository if isinstance(subject, ImageRef) else subject
        return cls.model_validate(
            {
                "version": "1" if notice.image_tag else "2",
                "account": repository.registry.account,
                "region": repository.registry.region,
                "repository-name": repository.name,
                "image-digest": subject.digest.value if isinstance(subject, ImageRef) else None,
                "rule": notice.rule,
                "why": notice.why,
                "image-tag": notice.image_tag,
                "answer": notice.answer,
                "quarantine-tag": notice.quarantine_tag,
            }
        )

    def to_notice(self) -> ViolationFound:
        """The notice that this event carries."""
        repository = RepositoryRef(RegistryRef(self.account, self.region), self.repository_name)
        return ViolationFound(
            rule=self.rule,
            why=self.why,
            subject=ImageRef(repository, Digest(self.image_digest)) if self.image_digest else repository,
            image_tag=optional_image_tag(self.image_tag),
            answer=self.answer,
            quarantine_tag=optional_image_tag(self.quarantine_tag),
        )


class ReplicaDestination(EventModel):
    """The repository that an image was copied to."""

    account: AccountId = Field(description="Of the destination registry.")
    region: Region = Field(description="Of the destination registry.")
    repository_name: RepositoryNameText = Field(description="Of the replica.")


class OtherReplicaDestination(EventModel):
    """The repository of a registry that is not ECR, that an image was copied to."""

    registry: str = Field(min_length=1, description="Host of the registry, with its port where that is not 443.")
    repository_name: str = Field(min_length=1, description="Of the copy.")


class ImageReplicatedDetail(OwnDetail):
    """An image is complete at a destination, verified. Told again when its tags there change.

    Whoever knows version 1 finds what it promised in every event that still says so: a destination in ECR.
    """

    DETAIL_TYPE = "Image Replicated"

    version: Literal["1", "2"] = Field(  # type: ignore[assignment]
        description="Of this event's shape: `1` where it arrived in ECR, `2` where it arrived in another registry."
    )
    rule: str = Field(description="The name of the rule that asked for it.")
    destination: ReplicaDestination | OtherReplicaDestination = Field(description="Where it arrived.")
    image_tags: list[ImageTagText] = Field(description="Image tags of the replica, sorted.")

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.version == "1") != isinstance(self.destination, ReplicaDestination):
            raise ValueError("version 1 names a destination in ECR, version 2 one in another registry")
        return self

    @classmethod
    def of(cls, notice: ImageReplicated) -> Self:
        """The event for a notice."""
        to = notice.destination
        if isinstance(to, OtherRepository):
            version, registry = "2", {"registry": to.host}
        else:
            version, registry = "1", {"account": to.registry.account, "region": to.registry.region}
        return cls.model_validate(
            {
                **common_keys(notice.source),
                "version": version,
                "rule": notice.rule,
                "destination": {**registry, "repository-name": to.name},
                "image-tags": sorted(notice.image_tags),
            }
        )

    def to_notice(self) -> ImageReplicated:
        """The notice that this event carries."""
        to = self.destination
        destination = (
            OtherRepository(to.registry, to.repository_name)
            if isinstance(to, OtherReplicaDestination)
            else RepositoryRef(RegistryRef(to.account, to.region), to.repository_name)
        )
        return ImageReplicated(
            rule=self.rule,
            source=self.image,
            destination=destination,
            image_tags=frozenset(image_tag(text) for text in self.image_tags),
        )


class ImageVerdictDetail(OwnDetail):
    """What the rulebook says about an image, from the scans of all that it consists of: it passed, or it failed."""

    DETAIL_TYPE = "Image Verdict"

    rule: str = Field(description="The name of the rule that judged.")
    verdict: Literal["pass", "fail"] = Field(description="What is not known yet is not told.")
    reasons: list[str] = Field(description="For people: why it fails. Of many, the first ones, and how many more.")
    waived: list[str] = Field(description="For people: what would make it fail if no waiver tolerated it.")
    remarks: list[str] = Field(default=[], description="For people: what decided nothing, but should be known.")

    @classmethod
    def of(cls, notice: ImageVerdict) -> Self:
        """The event for a notice."""
        return cls.model_validate(
            {
                **common_keys(notice.image),
                "rule": notice.rule,
                "verdict": notice.verdict.value,
                "reasons": list(notice.reasons),
                "waived": list(notice.waived),
                "remarks": list(notice.remarks),
            }
        )

    def to_notice(self) -> ImageVerdict:
        """The notice that this event carries."""
        return ImageVerdict(
            rule=self.rule,
            image=self.image,
            verdict=Verdict(self.verdict),
            reasons=tuple(self.reasons),
            waived=tuple(self.waived),
            remarks=tuple(self.remarks),
        )


class LoginRegistry(EventModel):
    """A registry that a login is for."""

    account: AccountId = Field(description="Of the registry.")
    region: Region = Field(description="Of the registry.")


class CredentialRefreshedDetail(OwnEvent):
    """A fresh login lies in a sink: whoever keeps a copy of it should fetch it now. The event holds no login."""

    DETAIL_TYPE = "Credential Refreshed"

    credential: str = Field(description="Its name in the rulebook.")
    role: str = Field(description="The name of the IAM role that the login speaks as.")
    registries: list[LoginRegistry] = Field(description="What the login is for.")
    sink: str = Field(description="The secret of AWS Secrets Manager that holds it, by name.")
    expires_at: AwareDatetime = Field(
        strict=False, description="When the first of the logins ends, as ECR says; it may end sooner."
    )

    @classmethod
    def of(cls, notice: CredentialRefreshed) -> Self:
        """The event for a notice."""
        return cls.model_validate(
            {
                "version": "1",
                "credential": notice.credential,
                "role": notice.role,
                "registries": [{"account": each.account, "region": each.region} for each in notice.registries],
                "sink": notice.sink,
                "expires-at": notice.expires_at,
            }
        )

    def to_notice(self) -> CredentialRefreshed:
        """The notice that this event carries."""
        return CredentialRefreshed(
            credential=self.credential,
            registries=tuple(RegistryRef(each.account, each.region) for each in self.registries),
            sink=self.sink,
            role=self.role,
            expires_at=self.expires_at,
        )


class ViolationFoundEvent(Envelope):
    """*Violation Found*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Violation Found"]
    detail: ViolationFoundDetail


class ImageReplicatedEvent(Envelope):
    """*Image Replicated*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Image Replicated"]
    detail: ImageReplicatedDetail


class ImageVerdictEvent(Envelope):
    """*Image Verdict*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Image Verdict"]
    detail: ImageVerdictDetail


class CredentialRefreshedEvent(Envelope):
    """*Credential Refreshed*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Credential Refreshed"]
    detail: CredentialRefreshedDetail


OWN_DETAILS: tuple[type[OwnEvent], ...] = (
    ViolationFoundDetail,
    ImageReplicatedDetail,
    ImageWithdrawnDetail,
    ImageVerdictDetail,
    CredentialRefreshedDetail,
    BrakeHeldDetail,
    RulebookRefusedDetail,
    RulesChangedDetail,
    AccessWidenedDetail,
    RepositoryPushedDetail,
    ReplicationRequestedDetail,
)


def encode_notice(notice: Notice) -> tuple[str, str]:
    """A notice as PutEvents takes it: ``DetailType`` and ``Detail``, the latter as JSON text."""
    match notice:
        case ViolationFound():
            detail: OwnEvent = ViolationFoundDetail.of(notice)
        case ImageReplicated():
            detail = ImageReplicatedDetail.of(notice)
        case ImageWithdrawn():
            detail = ImageWithdrawnDetail.of(notice)
        case ImageVerdict():
            detail = ImageVerdictDetail.of(notice)
        case CredentialRefreshed():
            detail = CredentialRefreshedDetail.of(notice)
        case BrakeHeld():
            detail = BrakeHeldDetail.of(notice)
        case RulebookRefused():
            detail = RulebookRefusedDetail.of(notice)
        case RulesChanged():
            detail = RulesChangedDetail.of(notice)
        case AccessWidened():
            detail = AccessWidenedDetail.of(notice)
    return detail.DETAIL_TYPE, detail.model_dump_json(by_alias=True, exclude_none=True)


def own_event_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each own event's ``detail``, by a name such as ``violation-found``."""
    return {
        model.DETAIL_TYPE.lower().replace(" ", "-"): {
            "$schema": GenerateJsonSchema.schema_dialect,
            **model.model_json_schema(),
        }
        for model in OWN_DETAILS
    }
