"""Quarantine, release and undo by a person's hand: no rule asks for them, and neither pause nor brake stops them."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from ecr_steward.domain.by_hand import (
    is_of_document,
    never_undone,
    plan_quarantine,
    plan_release,
    plan_restore,
    plan_undo,
    tags_taken,
)
from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.journal import KEPT, Entry
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.plan import AddImageTag, Plan, RemoveImageTag
from ecr_steward.domain.releases import RELEASED_FOR, Release
from ecr_steward.domain.tagging import is_quarantine_tag
from ecr_steward.errors import CannotUndoError, ImageNotFoundError
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.journal import Journal
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.releases import Releases
from ecr_steward.usecases.apply import apply_plan
from ecr_steward.usecases.recording import recorded


@dataclass(frozen=True)
class ByHand:
    """What a person may do about one image or one recorded step. A dry run plans it and changes nothing."""

    registry: Registry
    settings: RegistrySettingsStore
    journal: Journal
    releases: Releases
    now: Clock
    who: str
    is_dry: bool = False

    def quarantine(self, image: ImageRef, why: str) -> Plan:
        """Take an image out of reach: it keeps a quarantine tag alone. A release that it had ends.

        Raises ImageNotFoundError and RepositoryNotFoundError.
        """
        plan = plan_quarantine(image.digest, self._images(image), why)
        if not self.is_dry:
            for release in list(self.releases.of(image.repository)):
                if release.image == image:
                    self.releases.end(release)
        return self._apply(plan)

    def release(
        self,
        image: ImageRef,
        why: str,
        *,
        image_tags: frozenset[ImageTag] = frozenset(),
        lasting: timedelta = RELEASED_FOR,
        is_forced: bool = False,
    ) -> Plan:
        """Give an image the image tags back that it lost when it was quarantined, and let it keep them for a time.

        Which ones they were says the journal, or ``image_tags``. Raises ImageNotFoundError, RepositoryNotFoundError,
        and CannotUndoError where nobody says which.
        """
        images = self._images(image)
        today = self.now().date()
        entries = () if image_tags else self.journal.entries(today - KEPT, today)
        back = image_tags or tags_taken(image, entries)
        plan = plan_release(image.digest, images, why, back, is_forced=is_forced)
        kept = sorted(
            tag for tag in _held_after(plan, images.tags_of(image.digest)) if not is_quarantine_tag(tag, image.digest)
        )
        if not kept:
            raise CannotUndoError(
                f"the journal knows no image tag that {image} has lost in the last {KEPT.days} days and that nobody "
                "holds by now: say with --image-tag which it is to hold"
            )
        if not self.is_dry:  # before the tags are back, so that no sweep takes them in between
            for tag in (None, *kept):
                self.releases.give(Release(image, tag, self.who, why, self.now() + lasting))
        return self._apply(plan)

    def undo(self, entry: Entry, *, is_forced: bool = False, lasting: timedelta = RELEASED_FOR) -> Plan:
        """Undo a recorded step as far as the facts let it. An image tag that comes back may stay for a time.

        A document is put back as it was; the next sweep puts the rulebook's, unless a rule changes or all is paused.

        Raises CannotUndoError and RepositoryNotFoundError.
        """
        if is_of_document(entry):
            return self._apply(plan_restore(entry))
        if (reason := never_undone(entry)) or entry.repository is None:
            raise CannotUndoError(reason or f"{entry.id} is about no repository")
        images = self.registry.images(entry.repository)
        plan = plan_undo(entry, images, is_forced=is_forced)
        if not self.is_dry and entry.step == RemoveImageTag.__name__:
            for step in plan.steps:
                if isinstance(step, AddImageTag):
                    until = self.now() + lasting
                    self.releases.give(Release(step.image, step.image_tag, self.who, step.why, until))
        return self._apply(plan)

    def _images(self, image: ImageRef) -> RepositoryImages:
        images = self.registry.images(image.repository)
        if image.digest not in images.digests:
            raise ImageNotFoundError(f"there is no image {image}")
        return images

    def _apply(self, plan: Plan) -> Plan:
        if not self.is_dry:
            around = partial(recorded, journal=self.journal, who=self.who, is_always=True)
            apply_plan(plan, self.registry, settings=self.settings, around=around)
        return plan


def _held_after(plan: Plan, held: frozenset[ImageTag]) -> frozenset[ImageTag]:
    added = {step.image_tag for step in plan.steps if isinstance(step, AddImageTag)}
    taken = {step.image_tag for step in plan.steps if isinstance(step, RemoveImageTag)}
    return (held | added) - taken
