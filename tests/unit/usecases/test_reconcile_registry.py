from dataclasses import replace

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.image_content import InMemoryImageContent
from ecr_steward.domain.images import Manifest, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.outcome import SweepFailure, SweepOutcome
from ecr_steward.domain.rules import Destination, Mode, ReplicationRules
from ecr_steward.errors import AccessDeniedError, ImageNotFoundError
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from tests.given.copy_jobs import do_jobs
from tests.given.rules import API, AWAY, HOME, OF_HOME, SETTINGS, SETTINGS_OF_COPIES, rulebook
from tests.given.worlds import World, hands_of, manifest, sbom_of, world

IMAGE = manifest("image")
REPLICA = API.in_registry(AWAY)


class Sweeper:
    """A world and its queue, swept as the schedule would; ``work`` does what the queue asks for."""

    def __init__(self, world: World, mode: Mode = Mode.ENFORCE) -> None:
        self.world, self.rules, self.queue = world, rulebook(mode=mode), InMemoryReplicationQueue()
        self.notices = InMemoryNotices()

    def sweep(self) -> SweepOutcome:
        return reconcile_registry([HOME], rules=self.rules, hands=hands_of(self.world, self.notices, self.queue))

    def work(self) -> None:
        do_jobs(self.queue.requested, self.world, self.rules)
        self.queue.requested.clear()


def settled() -> Sweeper:
    sweeper = Sweeper(world([IMAGE], {"1.4.2": IMAGE}))
    sweeper.sweep()
    sweeper.work()
    return sweeper


def test_everything_is_mended_or_requested_when_no_event_announced_it() -> None:
    sweeper = Sweeper(world([IMAGE], {"1.4.2": IMAGE}))

    found = sweeper.sweep()
    sweeper.work()

    assert found.requested == 1
    assert sweeper.world.registry.tags_of(ImageRef(REPLICA, IMAGE.digest)) == {"1.4.2", "1.4-latest", "1-latest"}


def test_second_sweep_plans_nothing() -> None:
    sweeper = settled()
    sweeper.world.registry.calls.clear()

    found = sweeper.sweep()

    assert found.outcomes == ()
    assert found.requested == 0
    assert sweeper.world.registry.calls.changes == []


def test_the_scanning_rules_of_the_registry_are_asked_for_once_when_many_repositories_lack_scan_on_push() -> None:
    sweeper = Sweeper(world([IMAGE], {"1.4.2": IMAGE}))
    registry, other = sweeper.world.registry, RepositoryRef(HOME, "team-b/api")
    registry.create_missing(other)
    for each in (API, other):
        registry.change_settings(each, **{**vars(SETTINGS), "scan_on_push": False})
    registry.scanned_by_registry[other] = "MANUAL"

    sweeper.sweep()

    asked = [call.method for call in registry.calls.entries if call.arguments[0] in (HOME, API, other)]
    assert (asked.count("with_registry_scanning"), asked.count("repository")) == (1, 2)  # and of each other settings
    assert (registry.settings_of(API).scan_on_push, registry.settings_of(other).scan_on_push) == (True, False)


def test_lifecycle_policy_and_replica_come_back_when_somebody_deleted_them() -> None:
    sweeper = settled()
    registry = sweeper.world.registry
    registry.change_settings(REPLICA, lifecycle=None)
    registry.change_settings(API, lifecycle=None)
    registry.delete(ImageRef(REPLICA, IMAGE.digest))

    sweeper.sweep()
    sweeper.work()

    assert (registry.settings_of(API), registry.settings_of(REPLICA)) == (SETTINGS, SETTINGS_OF_COPIES)
    assert registry.tags_of(ImageRef(REPLICA, IMAGE.digest)) == {"1.4.2", "1.4-latest", "1-latest"}


def test_alias_does_not_move_back_at_the_destination_when_the_newest_replica_is_missing() -> None:
    newer = manifest("newer")
    sweeper = Sweeper(world([IMAGE, newer], {"1.4.2": IMAGE, "1.4.3": newer}))
    sweeper.sweep()
    sweeper.work()
    registry = sweeper.world.registry
    registry.delete(ImageRef(REPLICA, newer.digest))

    sweeper.sweep()

    assert registry.tags_of(ImageRef(REPLICA, IMAGE.digest)) == {"1.4.2"}


def test_nothing_changes_and_nothing_is_requested_when_the_rule_only_observes() -> None:
    sweeper = Sweeper(world([IMAGE], {"latest": IMAGE}), Mode.OBSERVE)

    found = sweeper.sweep()

    assert found.outcomes != ()
    assert sweeper.queue.requested == []
    assert sweeper.world.registry.calls.changes == []


def test_other_repositories_are_mended_when_one_cannot_be_read() -> None:
    sweeper = Sweeper(world([IMAGE], {"1.4.2": IMAGE}))
    sweeper.world.registry.create_missing(replace(API, name="team-a/aaa"))
    sweeper.world.registry.calls.fail_before("repository", AccessDeniedError("ecr:DescribeRepositories is denied"))

    found = sweeper.sweep()

    assert found.failures == (SweepFailure(str(replace(API, name="team-a/aaa")), "ecr:DescribeRepositories is denied"),)
    assert sweeper.world.registry.tags_of(ImageRef(API, IMAGE.digest)) == {"1.4.2", "1.4-latest", "1-latest"}


def test_a_referrer_with_an_allowed_tag_is_left_alone() -> None:
    sbom = sbom_of(IMAGE)
    sweeper = Sweeper(world([IMAGE, sbom], {"1.4.2": IMAGE, "1.4.3": sbom}))
    sweeper.sweep()
    sweeper.work()

    found = sweeper.sweep()

    assert (found.outcomes, found.requested) == ((), 0)
    assert sweeper.world.registry.tags_of(ImageRef(API, sbom.digest)) == {"1.4.3"}


def test_other_destinations_are_requested_when_one_cannot_be_looked_at() -> None:
    to = (Destination(region="ap-south-2"), Destination(region=AWAY.region))
    sweeper = Sweeper(world([IMAGE], {"1.4.2": IMAGE}))
    sweeper.rules = rulebook(replicate=(ReplicationRules(to),))
    sweeper.sweep()
    sweeper.work()
    sweeper.world.registry.delete(ImageRef(REPLICA, IMAGE.digest))
    images = sweeper.world.registry.images

    def deny(repository: RepositoryRef) -> RepositoryImages:
        if repository.registry.region == "ap-south-2":
            raise AccessDeniedError("the organisation denies ap-south-2")
        return images(repository)

    sweeper.world.registry.images = deny  # type: ignore[method-assign]

    found = sweeper.sweep()

    assert found.requested == 1
    assert any("denies ap-south-2" in failure.why for failure in found.failures)


def test_destination_that_does_not_answer_is_asked_once_when_many_images_are_missing_there() -> None:
    two = manifest("two")
    sweeper = Sweeper(world([IMAGE, two], {"1.4.2": IMAGE, "1.5.0": two}))
    sweeper.rules = rulebook(match=OF_HOME, replicate=(ReplicationRules((Destination(account="222233334444"),)),))
    sweeper.world.registry.calls.close("222233334444", AccessDeniedError("account two is closed"))

    found = sweeper.sweep()

    there = API.in_registry(replace(HOME, account="222233334444"))
    assert [call for call in sweeper.world.registry.calls.entries if call == ("images", (there,))] == [
        ("images", (there,))
    ]
    assert sum(failure.why == "account two is closed" for failure in found.failures) == 3


def test_an_index_is_reported_when_a_child_of_it_is_missing() -> None:
    """core 6.9"""
    child = manifest("child")
    index = manifest("index", children=[child])
    sweeper = Sweeper(world([index, IMAGE], {"1.4.2": index, "1.4.3": IMAGE}))

    found = sweeper.sweep()

    (failure,) = found.failures
    assert failure.subject == f"{ImageRef(API, index.digest)} to {REPLICA}"
    assert f"there is no image {ImageRef(API, child.digest)}" in failure.why
    assert [job.image.digest for job in sweeper.queue.requested] == [IMAGE.digest]


def test_nothing_is_reported_when_an_image_was_deleted_while_it_was_looked_at() -> None:
    """core 6.9"""
    there = world([IMAGE], {"1.4.2": IMAGE})
    gone = ImageRef(API, IMAGE.digest)

    class Deleting(InMemoryImageContent):
        def manifest(self, repository: RepositoryRef, digest: Digest) -> Manifest:
            there.registry.delete_image(gone, there.registry.tags_of(gone))
            raise ImageNotFoundError("there is no such image")

    found = Sweeper(replace(there, content=Deleting(there.registry))).sweep()

    assert found.failures == ()
    assert there.registry.images(API).digests == set()


def test_other_destinations_have_their_copy_when_one_has_an_impossible_name() -> None:
    """core 6.12"""
    sweeper = Sweeper(world([IMAGE], {"1.4.2": IMAGE}))
    impossible = Destination(repository=f"{'release/' * 40}{{name}}")
    to = ReplicationRules(to=(impossible, Destination(region=AWAY.region)))
    sweeper.rules = rulebook(replicate=(to,))

    found = sweeper.sweep()
    sweeper.work()

    (failure,) = found.failures
    assert f"{API} is not copied to `{impossible.repository}`" in failure.why
    assert "1.4.2" in sweeper.world.registry.tags_of(ImageRef(REPLICA, IMAGE.digest))


def test_no_manifest_is_read_when_all_replicas_are_there() -> None:
    sweeper = settled()
    sweeper.world.registry.calls.clear()

    sweeper.sweep()

    assert {"manifest", "referrers", "has_blob"}.isdisjoint(sweeper.world.registry.calls.methods)


def test_other_registries_are_swept_when_one_cannot_be_listed() -> None:
    sweeper = settled()
    sweeper.world.registry.change_settings(REPLICA, lifecycle=None)
    sweeper.world.registry.calls.fail_before("repositories", AccessDeniedError("home is closed"))

    found = sweeper.sweep()

    assert found.failures == (SweepFailure(str(HOME), "home is closed"),)
    assert sweeper.world.registry.settings_of(REPLICA) == SETTINGS_OF_COPIES
