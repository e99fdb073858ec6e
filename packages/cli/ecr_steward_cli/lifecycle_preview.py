"""What would go from a repository: by ECR's lifecycle policy, and by what the steward's sweep does beside it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ecr_steward.domain.contents import Contents
from ecr_steward.domain.images import OCI_MANIFEST, Descriptor, Image, RepositoryImages
from ecr_steward.domain.lifecycle.document import read_lifecycle_policy
from ecr_steward.domain.lifecycle.policy import Action, LifecyclePolicy
from ecr_steward.domain.lifecycle.simulation import Claim, StoredImage, following, simulate
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.plan import DeleteImage
from ecr_steward.domain.retention import Keeping, plan_retention
from ecr_steward.domain.retention_rules import RetentionRules
from ecr_steward.domain.rules import Rules
from ecr_steward_cli.stored_images import StoredRepository

ECR, SWEEP = "ECR", "the sweep"


@dataclass(frozen=True)
class Intent:
    """What is to be previewed, and where it is from."""

    source: str
    """Such as ``the repository's own policy``."""
    policy: LifecyclePolicy = field(default_factory=LifecyclePolicy)
    retention: RetentionRules = field(default_factory=RetentionRules)
    rule: str = ""
    """The rule of the rulebook that says it, if one does."""


@dataclass(frozen=True)
class Going:
    """One image that goes, and who claims it."""

    image: StoredImage
    action: Action
    by: str
    """Who does it."""
    says: str
    """The rule, in words, or what the image follows."""
    when: datetime | None
    """When it comes into question: of ECR from then on, of the sweep by then. ``None``: at the next evaluation."""
    priority: int | None = None
    """Of the rule in ECR's policy."""
    follows: bool = False


@dataclass(frozen=True)
class Preview:
    """What would go from one repository."""

    stored: StoredRepository
    intent: Intent
    going: tuple[Going, ...]
    notes: tuple[str, ...] = field(default=())


def intent_of(rules: Rules, ref: RepositoryRef, resource_tags: Mapping[str, str], source: str) -> Intent | None:
    """What the rulebook says of this repository's images; ``None`` where it says nothing of them."""
    for rule in rules.governing(ref, resource_tags).settings:
        settings = rule.repository(ref.registry) if rule.repository else None
        if settings is not None and isinstance(settings.lifecycle, Mapping):
            policy = read_lifecycle_policy(settings.lifecycle)
            where = f"the rule {rule.name} of {source}"
            return Intent(where, policy, settings.retention or RetentionRules(), rule.name)
    return None


def preview(ref: RepositoryRef, stored: StoredRepository, intent: Intent, now: datetime, ahead: timedelta) -> Preview:
    """What would go now, and in the time ahead if nobody pushes, pulls or tags."""
    at_once = list(_going(ref, stored, intent, now))
    known = {(one.image.digest, one.action) for one in at_once}
    later = [
        one
        for one in (_going(ref, stored, intent, now + ahead) if ahead else ())
        if (one.image.digest, one.action) not in known
    ]
    going = [*(_with(one, None) for one in at_once), *(_with(one, one.when or now + ahead) for one in later)]
    return Preview(stored, intent, tuple(going), tuple(_notes(stored, intent)))


def _with(one: Going, when: datetime | None) -> Going:
    return Going(one.image, one.action, one.by, one.says, when, one.priority, one.follows)


def _going(ref: RepositoryRef, stored: StoredRepository, intent: Intent, now: datetime) -> Iterator[Going]:
    claims = simulate(intent.policy, stored.images, now)
    for claim in (*claims, *following(stored.images, claims)):
        if claim.rule is None:
            says = f"goes with its subject {claim.image.subject}"
            yield Going(claim.image, claim.action, ECR, says, claim.since, follows=True)
        else:
            yield Going(claim.image, claim.action, ECR, str(claim.rule), claim.since, claim.rule.priority)
    if intent.retention.expires:
        yield from _swept(ref, stored, intent, claims, now)


def _swept(
    ref: RepositoryRef, stored: StoredRepository, intent: Intent, claims: tuple[Claim, ...], now: datetime
) -> Iterator[Going]:
    by_ecr = {claim.image.digest for claim in claims}
    there = {one.digest: one for one in stored.images if not one.is_archived and one.digest not in by_ecr}
    contents = Contents(
        RepositoryImages.of(ref, (_image(ref, one) for one in there.values())),
        {digest: tuple(map(_descriptor, one.children)) for digest, one in there.items() if one.children},
    )
    keeping = Keeping(now=now, keeps=intent.retention.keeps, asks=False)
    for step in plan_retention(intent.rule, intent.retention, contents, keeping).steps:
        if isinstance(step, DeleteImage):
            image = there[step.image.digest]
            follows = contents.depends(image.digest)
            rule = next((one for one in intent.retention.expires if one.decides_about(image.image_tags)), None)
            says = rule.spelling if rule and not follows else step.why
            yield Going(image, Action.EXPIRE, SWEEP, says, None, follows=follows)


def _image(ref: RepositoryRef, one: StoredImage) -> Image:
    return Image(
        ImageRef(ref, one.digest),
        image_tags=one.image_tags,
        subject=one.subject,
        pushed_at=one.came_at,
        last_pulled_at=one.last_pulled_at,
    )


def _descriptor(child: Digest) -> Descriptor:
    return Descriptor(OCI_MANIFEST, child, 0)


def _notes(stored: StoredRepository, intent: Intent) -> Iterator[str]:
    if unread := len(stored.unread_indexes):
        indexes = "1 index is" if unread == 1 else f"{unread} indexes are"
        yield (
            f"what {indexes} made of is not known here, so images that an index holds may be shown as going; they do "
            "not as long as it is there"
        )
    if used := sorted(intent.retention.asks_about_use) if intent.retention.expires else []:
        yield f"nobody was asked what is in use; the sweep asks {', '.join(used)} first, and keeps that"


def as_document(preview: Preview) -> dict[str, Any]:
    """The preview as JSON; actions in the words of ECR's GetLifecyclePolicyPreview."""
    actions = {Action.EXPIRE: "EXPIRE", Action.ARCHIVE: "TRANSITION"}
    return {
        "repositoryName": preview.stored.name,
        "source": preview.intent.source,
        "images": len(preview.stored.images),
        "going": [
            {
                "imageDigest": one.image.digest.value,
                "imageTags": sorted(one.image.image_tags),
                "imagePushedAt": one.image.pushed_at.isoformat(),
                "lastRecordedPullTime": one.image.last_pulled_at.isoformat() if one.image.last_pulled_at else None,
                "imageSizeInBytes": preview.stored.sizes.get(one.image.digest),
                "action": actions[one.action],
                "by": "ecr" if one.by == ECR else "sweep",
                "rule": one.says,
                "appliedRulePriority": one.priority,
                "followsSubject": one.image.subject.value if one.follows and one.image.subject else None,
                "from": one.when.isoformat() if one.when else None,
            }
            for one in preview.going
        ],
        "notes": list(preview.notes),
    }
