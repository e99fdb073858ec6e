"""What the steward tells others: facts for the event bus, and jobs for its own queue."""

from dataclasses import dataclass
from datetime import datetime

from ecr_steward.domain.names import AnyRepository, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.scans import Verdict

SOURCE = "ecr.steward"
"""``source`` of the steward's own events."""


@dataclass(frozen=True)
class ViolationFound:
    """*Violation Found*: an image tag, an image or a repository broke a rule."""

    rule: str
    why: str
    subject: ImageRef | RepositoryRef
    image_tag: ImageTag | None
    """``None``: the image or the repository as a whole."""
    answer: str
    """What is done about it: ``notify``, ``untag`` or ``quarantine``; ``observe`` where the rule only observes."""
    quarantine_tag: ImageTag | None = None


@dataclass(frozen=True)
class ImageReplicated:
    """*Image Replicated*: an image is complete at a destination, verified. Told again when its tags change."""

    rule: str
    source: ImageRef
    destination: AnyRepository
    image_tags: frozenset[ImageTag]
    """Those that the image holds there: the tags of its source that the rule replicates."""


@dataclass(frozen=True)
class ImageWithdrawn:
    """*Image Withdrawn*: a destination has lost image tags of an image that failed its scan after it was copied."""

    rule: str
    source: ImageRef
    destination: RepositoryRef
    image_tags: frozenset[ImageTag]
    """Those that it lost there. With its last one ECR has deleted the image."""
    why: str


@dataclass(frozen=True)
class ImageVerdict:
    """*Image Verdict*: what the rules say about an image, from the scans of all that it consists of."""

    rule: str
    image: ImageRef
    verdict: Verdict
    """Pass or fail; what is pending is not told."""
    reasons: tuple[str, ...]
    """Why it fails, one sentence each."""
    waived: tuple[str, ...]
    """Which findings would make it fail if no waiver tolerated them, one sentence each."""
    remarks: tuple[str, ...] = ()
    """What a reader should know that decided nothing, such as a finding without a severity."""


@dataclass(frozen=True)
class CredentialRefreshed:
    """*Credential Refreshed*: a fresh login lies in a sink. Never the login itself."""

    credential: str
    registries: tuple[RegistryRef, ...]
    sink: str
    """The secret's name."""
    role: str
    """Whom the login speaks as."""
    expires_at: datetime


@dataclass(frozen=True)
class BrakeHeld:
    """*Brake Held*: a rule was about to take away too much. It waits until a person releases its brake."""

    rule: str
    subject: str
    """The repository or registry whose plan was held, as people write it."""
    removals: int
    """In that plan."""
    why: str
    since: datetime
    is_wide: bool = False
    """Whether the rule is held for all repositories, and not for this one alone."""


@dataclass(frozen=True)
class AccessWidened:
    """*Access Widened*: a policy opens something to principals outside of its account. Said before it is put.

    So no kill loses the news; whether it was put then says the journal.
    """

    rule: str
    subject: RepositoryRef | RegistryRef
    what: str
    """The step as people read it."""
    principals: tuple[str, ...]
    """Accounts, ARNs, services, ids of organizations, or "everybody"."""
    is_public: bool
    """Whether something is opened to everybody."""


@dataclass(frozen=True)
class RulebookRefused:
    """*Rulebook Refused*: a new version of the rulebook is not put into force; the last good one stays."""

    rulebook: str
    """Where it lies, as people write it."""
    object_version: str
    reason: str


@dataclass(frozen=True)
class RulesChanged:
    """*Rules Changed*: resource tags have moved a repository from one set of rules to another."""

    repository: RepositoryRef
    before: tuple[str, ...]
    """Names of rules, and ``infrastructure_code`` where other code owned it."""
    now: tuple[str, ...]
    changed_by: str | None = None
    """As people write it, where an event says so."""


@dataclass(frozen=True)
class ReplicationRequested:
    """A job for the replication queue: an image is not where it belongs, or not wholly."""

    image: ImageRef
    why: str
    hops: int = 0
    """How often what is left of it was put back on the queue."""
    is_narrow: bool = False
    """Whether to move one blob at a time, since of many at once none came to its end."""
    is_withdrawal: bool = False
    """Whether only entries that withdraw what failed its scan are looked at, since a verdict said so."""
    told: frozenset[str] = frozenset()
    """Its copies that failed for good on an earlier turn, as their outcomes named them: people know of them."""
    after: str = ""
    """Where its turn among the referrers of the image begins; empty for the first, which brings the image itself."""
    is_deep: bool = False
    """Whether each manifest is looked for at the destination, although what leads to it is there."""


@dataclass(frozen=True)
class FailedEvent:
    """An event that ended in a permanent error, as the failure queue keeps it for a person to read and replay."""

    function: str
    event: object
    error: str
    message: str
    rule: str | None = None


type Notice = (
    ViolationFound
    | ImageReplicated
    | ImageWithdrawn
    | ImageVerdict
    | CredentialRefreshed
    | BrakeHeld
    | RulebookRefused
    | RulesChanged
    | AccessWidened
)


def topic_of(notice: Notice) -> str | None:
    """What a notice is the latest word on; ``None`` for one that tells what has happened, and outdates no other."""
    return f"{notice.rule} on {notice.image}" if isinstance(notice, ImageVerdict) else None
