"""ECR's own replication, looked at by the sweep: what failed, what takes too long, and how far behind it is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryNativeCopies, InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.names import ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.native_copies import LATE, LOOK_BACK, MOST, NativeCopy
from ecr_steward.domain.outcome import Lag, SweepFailure, SweepOutcome
from ecr_steward.domain.registries import NativeReplication, WantedReplication, WantedSettings
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import AccessDeniedError, ImageNotFoundError
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from tests.given.rules import API, AWAY, HOME
from tests.given.worlds import World, hands_of, manifest, world

IMAGE = manifest("image")
REF = ImageRef(API, IMAGE.digest)
SUBJECT = f"{REF} to {API.in_registry(AWAY)}"
FAILED, UNDER_WAY, THERE = (
    NativeCopy(AWAY, "FAILED", "AccessDenied"),
    NativeCopy(AWAY, "IN_PROGRESS"),
    NativeCopy(AWAY, "COMPLETE"),
)
THIRD = RegistryRef("222233334444", "us-east-1")
MINUTE = timedelta(minutes=1)


class Sweeper:
    """A registry that ECR replicates from, as far as the rulebook says, and a sweep of it."""

    def __init__(self, *prefixes: str, mode: Mode = Mode.ENFORCE) -> None:
        self.world: World = world([IMAGE], {"1.4.2": IMAGE})
        self.copies = InMemoryNativeCopies(self.world.registry)

        def mesh(registry: RegistryRef) -> WantedSettings:
            rule = NativeReplication(frozenset(prefixes or ("team-a/",)), frozenset({HOME, AWAY, THIRD}) - {registry})
            return WantedSettings(replication=WantedReplication((rule,)))

        self.rules = Rules((), registries=(RegistryRule("production", mesh, mode),))

    def pushed(self, age: timedelta, *copies: NativeCopy, image: ImageRef = REF) -> None:
        """Have an image be pushed so long ago, and ECR say this about its copies."""
        registry = self.world.registry
        (held,) = (each for each in registry.images_in(image.repository) if each.ref == image)
        registry.restore(replace(held, pushed_at=NOON - age))
        self.copies.say(image, *copies)

    def sweep(self) -> SweepOutcome:
        hands = hands_of(self.world, InMemoryNotices(), InMemoryReplicationQueue())
        return reconcile_registry([HOME], rules=self.rules, hands=replace(hands, native_copies=self.copies))

    @property
    def asked(self) -> list[object]:
        return [call.arguments[0] for call in self.world.registry.calls.entries if call.method == "native_copies"]


def remarks(found: SweepOutcome) -> list[str | None]:
    """What is said about the copy, and not about the settings of the registries."""
    return [outcome.remark for outcome in found.outcomes if outcome.subject == SUBJECT]


def test_a_copy_that_failed_is_a_failure_of_the_sweep_that_names_destination_and_code() -> None:
    sweeper = Sweeper()
    sweeper.pushed(MINUTE, FAILED)

    found = sweeper.sweep()

    assert found.failures == (SweepFailure(SUBJECT, "ECR's own replication failed: AccessDenied"),)
    assert found.lags == ()


def test_a_copy_that_failed_is_only_remarked_when_the_entry_observes() -> None:
    sweeper = Sweeper(mode=Mode.OBSERVE)
    sweeper.pushed(MINUTE, NativeCopy(AWAY, "FAILED"))

    found = sweeper.sweep()

    assert found.failures == ()
    assert remarks(found) == ["ECR's own replication failed: it does not say why"]


@pytest.mark.parametrize(
    ("age", "told"),
    [(LATE, []), (LATE + MINUTE, ["ECR's own replication is still under way 61 minutes after the push"])],
)
def test_a_copy_under_way_is_remarked_when_it_takes_longer_than_an_hour(age: timedelta, told: list[str]) -> None:
    sweeper = Sweeper()
    sweeper.pushed(age, UNDER_WAY)

    found = sweeper.sweep()

    assert remarks(found) == told
    assert found.failures == ()
    assert found.lags == (Lag(str(AWAY), age.total_seconds()),)


def test_the_longest_lag_of_each_destination_is_measured_when_several_copies_are_under_way() -> None:
    sweeper = Sweeper("team-")
    other = RepositoryRef(HOME, "team-b/api")
    newer = ImageRef(other, manifest("newer").digest)
    sweeper.world.content.hold(other, manifest("newer"))
    (held,) = sweeper.world.registry.images_in(other)
    sweeper.world.registry.restore(replace(held, image_tags=frozenset({ImageTag("2.0.0")})))
    sweeper.pushed(3 * MINUTE, UNDER_WAY, NativeCopy(THIRD, "COMPLETE"))
    sweeper.pushed(2 * MINUTE, UNDER_WAY, NativeCopy(THIRD, "IN_PROGRESS"), image=newer)

    assert sweeper.sweep().lags == (Lag(str(AWAY), 180.0), Lag(str(THIRD), 120.0))


def test_nothing_is_told_when_every_copy_has_arrived() -> None:
    sweeper = Sweeper()
    sweeper.pushed(MINUTE, THERE)

    found = sweeper.sweep()

    assert sweeper.asked == [REF]
    assert (remarks(found), found.failures, found.lags) == ([], (), ())


def outside_the_prefix() -> Sweeper:
    sweeper = Sweeper("team-b/")
    sweeper.pushed(MINUTE, FAILED)
    return sweeper


def pushed_long_ago() -> Sweeper:
    sweeper = Sweeper()
    sweeper.pushed(LOOK_BACK + MINUTE, FAILED)
    return sweeper


def untagged() -> Sweeper:
    sweeper = Sweeper()
    sweeper.pushed(MINUTE, FAILED)
    for image_tag in sweeper.world.registry.tags_of(REF):
        sweeper.world.registry.take_tag(REF, image_tag)
    return sweeper


@pytest.mark.parametrize("facts", [outside_the_prefix, pushed_long_ago, untagged])
def test_ecr_is_not_asked_when_there_is_nothing_to_learn(facts: Callable[[], Sweeper]) -> None:
    sweeper = facts()

    found = sweeper.sweep()

    assert sweeper.asked == []
    assert found.failures == ()


def test_ecr_is_asked_at_the_source_alone_when_the_destination_is_swept_for_its_settings() -> None:
    sweeper = Sweeper()
    replica = ImageRef(API.in_registry(AWAY), IMAGE.digest)
    sweeper.world.content.hold(replica.repository, IMAGE)
    (held,) = sweeper.world.registry.images_in(replica.repository)
    sweeper.world.registry.restore(replace(held, image_tags=frozenset({ImageTag("1.4.2")})))
    sweeper.pushed(MINUTE, THERE)
    sweeper.pushed(MINUTE, FAILED, image=replica)

    found = sweeper.sweep()

    assert (sweeper.asked, found.failures) == ([REF], ())


def test_only_the_newest_images_are_asked_about_when_there_are_many() -> None:
    sweeper = Sweeper()
    for number in range(MOST + 1):
        held = manifest(f"image {number}")
        sweeper.world.content.hold(API, held)
        image = ImageRef(API, held.digest)
        (stored,) = (each for each in sweeper.world.registry.images_in(API) if each.ref == image)
        sweeper.world.registry.restore(replace(stored, image_tags=frozenset({ImageTag(f"1.0.{number}")})))
        sweeper.pushed(number * MINUTE, THERE, image=image)
    sweeper.pushed((MOST + 1) * MINUTE, THERE)

    sweeper.sweep()

    assert sweeper.asked == [ImageRef(API, manifest(f"image {number}").digest) for number in range(MOST)]


def test_one_refusal_is_told_once_when_ecr_may_not_be_asked() -> None:
    sweeper = Sweeper()
    sweeper.pushed(MINUTE, FAILED)
    sweeper.world.registry.calls.fail_before("native_copies", AccessDeniedError("not allowed"))

    assert sweeper.sweep().failures == (SweepFailure(str(API), "not allowed"),)


def test_the_other_images_are_asked_about_when_one_is_deleted_meanwhile() -> None:
    sweeper = Sweeper()
    gone = manifest("gone")
    sweeper.world.content.hold(API, gone)
    image = ImageRef(API, gone.digest)
    (stored,) = (each for each in sweeper.world.registry.images_in(API) if each.ref == image)
    sweeper.world.registry.restore(replace(stored, image_tags=frozenset({ImageTag("2.0.0")})))
    sweeper.pushed(MINUTE, THERE, image=image)
    sweeper.pushed(2 * MINUTE, FAILED)
    sweeper.world.registry.calls.fail_before("native_copies", ImageNotFoundError("deleted"))

    found = sweeper.sweep()

    assert sweeper.asked == [image, REF]
    assert [failure.subject for failure in found.failures] == [SUBJECT]
