"""A repository whose tags and images get old."""

from dataclasses import replace
from datetime import timedelta

from ecr_steward.adapters.memory import Calls, InMemoryRegistry, InMemorySightings, InMemoryWorkloads
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST, Descriptor
from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Use
from ecr_steward.domain.rules import Governing
from ecr_steward.domain.tag_rules import TagExpiry, TagRules
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.retain_images import RetentionFacts, retain_images
from tests.given.appliers import applier_of
from tests.given.contents import digest
from tests.given.rules import API, WANTED, Pattern, service_rule

PRS = TagRules(expire=(TagExpiry((Pattern("pr-.*"),), 14),))
OLD = RetentionRules(expires=(ExpireRule("expire all after 30d", after=30),))
IN_USE = frozenset(Use)
UNLESS_IN_USE = replace(OLD, keeps=(ProtectingKeep("keep in use", in_use=IN_USE),))


class House:
    """A repository whose tags were first seen a while ago, and all that is known of it."""

    def __init__(self, *images: object, tags: TagRules = PRS, retention: RetentionRules = OLD) -> None:
        self.calls = Calls()
        self.now = NOON
        self.registry = InMemoryRegistry(images=images, calls=self.calls)  # type: ignore[arg-type]
        self.sightings = InMemorySightings(self.calls, now=lambda: self.now)
        self.workloads = InMemoryWorkloads(self.calls)
        self.tag_rule = service_rule(name="tags", image_tags=tags)
        self.settings_rule = service_rule(name="images", repository=lambda _: replace(WANTED, retention=retention))
        self.calls.clear()

    @property
    def facts(self) -> RetentionFacts:
        return RetentionFacts(self.registry, lambda: self.now, self.sightings, self.workloads)

    @property
    def governing(self) -> Governing:
        return Governing(image_tags=self.tag_rule, settings=(self.settings_rule,))

    def sweep(self, applier: Applier | None = None, *, is_dry: bool = False) -> tuple[Outcome, ...]:
        images = self.registry.images(API)
        self.calls.clear()
        return retain_images(self.governing, images, self.facts, applier or applier_of(self.registry), is_dry=is_dry)

    def age(self, days: float) -> None:
        """Have the tags been seen, and wait."""
        self.sweep()
        self.now += timedelta(days=days)
        self.calls.clear()

    def lists(self, index: str, *children: str) -> None:
        """Have one image be an index of others."""
        ref = ImageRef(API, digest(index))
        held = self.registry.images(API).images[ref.digest]
        self.registry.restore(replace(held, media_type=OCI_INDEX))
        listed = tuple(Descriptor(OCI_MANIFEST, digest(child), 1, "linux/amd64") for child in children)
        self.registry.hold_children(ref, listed)

    def there(self, *names: str) -> list[str]:
        """Which of these images are there."""
        return [name for name in names if self.registry.holds(ImageRef(API, digest(name)))]
