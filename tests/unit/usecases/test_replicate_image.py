from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.clock import NOON, noon
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.native_copies import LOOK_BACK
from ecr_steward.domain.notices import ImageReplicated
from ecr_steward.domain.outcome import Lag, Outcome
from ecr_steward.domain.repositories import Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.rules import Destination, Match, Mode, ReplicationRules, Rules
from ecr_steward.errors import (
    AccessDeniedError,
    DigestMismatchError,
    ImageNotFoundError,
    ImageTagIsImmutableError,
    InvalidManifestError,
    InvalidNameError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    ThrottledError,
)
from ecr_steward.usecases.replicate_image import ROUNDS, replicate_image
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, SETTINGS, SETTINGS_OF_COPIES, Pattern, rulebook, service_rule
from tests.given.worlds import World, blob, give_tag, manifest, world

AMD64 = manifest("amd64", blobs=[blob("config amd64"), blob("shared")])
ARM64 = manifest("arm64", blobs=[blob("config arm64"), blob("shared")])
INDEX = manifest("index", children=[AMD64, ARM64])
SBOM = manifest("sbom", blobs=[blob("sbom")], subject=INDEX)
SIGNATURE = manifest("signature of the sbom", blobs=[blob("signature")], subject=SBOM)
ALL = [AMD64, ARM64, INDEX, SBOM, SIGNATURE]
REPLICA = API.in_registry(AWAY)


def replicate(
    world: World,
    held: Manifest = INDEX,
    notices: InMemoryNotices | None = None,
    *,
    is_deep: bool = False,
    **changes: object,
) -> tuple[Outcome, ...]:
    return replicate_image(
        ImageRef(API, held.digest),
        rules=rulebook(**changes),
        registry=world.registry,
        content=world.content,
        scans=world.scans,
        notices=notices or InMemoryNotices(),
        now=noon,
        applier=applier_of(world.registry, world.content),
        is_deep=is_deep,
    )


def replica_tags(world: World, held: Manifest = INDEX) -> set[str]:
    return set(world.registry.tags_of(ImageRef(REPLICA, held.digest)))


def test_whole_graph_arrives_children_first_and_tags_last_when_an_index_is_replicated() -> None:
    source, notices = world(ALL, {"1.4.2": INDEX, "1-latest": INDEX}), InMemoryNotices()

    (outcome,) = replicate(source, notices=notices)

    assert [type(step).__name__ for step in outcome.plan.steps][-2:] == ["AddImageTag", "AddImageTag"]
    put = [call.arguments[1] for call in source.registry.calls.entries if call.method == "put_manifest"]
    assert put == [AMD64, ARM64, INDEX, SBOM, SIGNATURE]
    assert replica_tags(source) == {"1.4.2", "1-latest"}
    assert source.registry.settings_of(REPLICA) == SETTINGS_OF_COPIES
    assert notices.published == [
        ImageReplicated(
            rule="services",
            source=ImageRef(API, INDEX.digest),
            destination=REPLICA,
            image_tags=frozenset({ImageTag("1.4.2"), ImageTag("1-latest")}),
        )
    ]


def test_a_destination_is_reported_and_the_others_served_when_its_name_is_impossible() -> None:
    """core 6.12"""
    impossible = Destination(repository=f"{'release/' * 40}{{name}}")
    source = world(ALL, {"1.4.2": INDEX})

    refused, brought = replicate(source, replicate=(ReplicationRules((impossible, Destination(region=AWAY.region))),))

    assert isinstance(refused.error, InvalidNameError)
    assert "Choose a shorter name" in str(refused.error)
    assert brought.error is None
    assert replica_tags(source) == {"1.4.2"}


def test_shared_blob_is_copied_once() -> None:
    source = world(ALL, {"1.4.2": INDEX})

    replicate(source)

    copied = [call.arguments[2] for call in source.registry.calls.entries if call.method == "copy_blob"]
    assert copied.count(blob("shared")) == 1


@pytest.mark.parametrize(("is_deep", "put"), [(True, ["put_manifest"]), (False, [])])
def test_only_the_missing_child_is_copied_when_a_deep_look_finds_it_gone(is_deep: bool, put: list[str]) -> None:
    """ECR deletes no child before its index, so another job takes it for there."""
    source = world(ALL, {"1.4.2": INDEX})
    replicate(source)
    source.registry.delete(ImageRef(REPLICA, ARM64.digest))
    source.registry.calls.clear()

    replicate(source, is_deep=is_deep)

    assert [call.method for call in source.registry.calls.changes if call.method != "publish"] == put


def test_subject_is_replicated_with_it_when_a_referrer_arrives_later() -> None:
    source = world(ALL[:3], {"1.4.2": INDEX})
    replicate(source)
    source.content.hold(API, SBOM)
    source.content.hold(API, SIGNATURE)

    replicate(source, SIGNATURE)

    assert source.registry.holds(ImageRef(REPLICA, SIGNATURE.digest))


def test_referrers_stay_when_the_rule_leaves_them_out() -> None:
    source = world(ALL, {"1.4.2": INDEX})

    replicate(source, replicate=(ReplicationRules((Destination(region=AWAY.region),), referrers=False),))

    assert not source.registry.holds(ImageRef(REPLICA, SBOM.digest))


def test_image_is_not_replicated_when_its_only_tag_breaks_the_rule() -> None:
    source = world(ALL, {"latest": INDEX})

    (outcome,) = replicate(source)

    assert outcome.remark == "no image tag of the image is to be replicated"
    assert source.registry.calls.changes == []


def test_image_is_not_replicated_when_it_is_in_quarantine() -> None:
    source = world(ALL, {f"quarantine-{INDEX.digest.hex[:12]}": INDEX})

    assert replicate(source)[0].plan.is_empty


def test_only_matching_tags_travel_when_the_rule_names_some() -> None:
    source = world(ALL, {"1.4.2": INDEX, "1-latest": INDEX})
    only = ReplicationRules((Destination(region=AWAY.region),), tags=(Pattern(r"\d+\.\d+\.\d+"),))

    replicate(source, replicate=(only,))

    assert replica_tags(source) == {"1.4.2"}


def test_image_arrives_under_another_name_when_the_destination_names_one() -> None:
    source = world([AMD64], {"1.4.2": AMD64})
    to = Destination(repository="release/{name}")

    replicate(source, AMD64, replicate=(ReplicationRules((to,)),))

    assert source.registry.tags_of(ImageRef(replace(API, name="release/team-a/api"), AMD64.digest)) == {"1.4.2"}


def test_nothing_happens_when_the_destination_is_the_source() -> None:
    source = world([AMD64], {"1.4.2": AMD64})

    (outcome,) = replicate(source, AMD64, replicate=(ReplicationRules((Destination(),)),))

    assert outcome.plan.is_empty


def test_plan_is_reported_and_nothing_changes_when_the_rule_only_observes() -> None:
    source = world([AMD64], {"1.4.2": AMD64})

    (outcome,) = replicate(source, AMD64, mode=Mode.OBSERVE)

    assert not outcome.applied
    assert not outcome.plan.is_empty
    assert source.registry.calls.changes == []


def test_no_tag_appears_when_a_blob_is_not_what_its_digest_says() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    source.content.damaged.add((API, blob("shared").digest))

    (outcome,) = replicate(source)

    assert isinstance(outcome.error, DigestMismatchError)
    assert outcome.error.rule == "services"
    assert replica_tags(source) == set()


def test_error_names_the_tag_when_the_destination_holds_it_for_another_image() -> None:
    source = world([AMD64, ARM64], {"1.4.2": AMD64})
    source.registry.create_repository(REPLICA, SETTINGS.mutability)
    source.content.hold(REPLICA, ARM64)
    give_tag(source.registry, ImageRef(REPLICA, ARM64.digest), ImageTag("1.4.2"))

    (outcome,) = replicate(source, AMD64)

    assert isinstance(outcome.error, ImageTagIsImmutableError)
    assert "1.4.2" in str(outcome.error)


def test_job_goes_back_to_its_queue_when_the_image_keeps_changing() -> None:
    source = world([AMD64], {"1.4.2": AMD64})
    original = source.registry.add_image_tag

    def add_then_lose(image: ImageRef, image_tag: ImageTag) -> None:
        original(image, image_tag)
        source.registry.delete(image)

    source.registry.add_image_tag = add_then_lose  # type: ignore[method-assign]

    (outcome,) = replicate(source, AMD64)

    assert isinstance(outcome.error, RegistryUnavailableError)
    assert f"{ROUNDS} rounds" in str(outcome.error)


def test_notice_is_given_by_the_next_job_when_the_bus_failed_after_the_copy() -> None:
    source, notices = world([AMD64], {"1.4.2": AMD64}), InMemoryNotices()
    notices.calls.fail_before("publish", ThrottledError("slow down"))

    (first,) = replicate(source, AMD64, notices)
    (second,) = replicate(source, AMD64, notices)

    assert isinstance(first.error, ThrottledError)
    assert second.plan.is_empty
    assert len(notices.published) == 1


@pytest.mark.parametrize("method", ["copy_blob", "put_manifest", "add_image_tag"])
def test_job_goes_back_to_its_queue_when_a_part_is_missing_although_the_image_is_there(method: str) -> None:
    source = world(ALL, {"1.4.2": INDEX})
    source.registry.calls.fail_before(method, ImageNotFoundError("the upload is unknown"))

    (outcome,) = replicate(source)

    assert isinstance(outcome.error, RegistryUnavailableError)
    assert "the upload is unknown" in str(outcome.error)


def test_nothing_is_done_when_the_image_is_deleted_while_it_is_copied() -> None:
    source = world([AMD64], {"1.4.2": AMD64})

    def lose(*_: object) -> None:
        source.registry.delete(ImageRef(API, AMD64.digest))
        raise ImageNotFoundError("there is no blob")

    source.content.copy_blob = lose  # type: ignore[method-assign]

    (outcome,) = replicate(source, AMD64)

    assert outcome.error is None
    assert outcome.remark == "the image is gone"


def test_nothing_is_done_when_the_repository_is_deleted_while_an_image_is_copied() -> None:
    source = world([AMD64], {"1.4.2": AMD64})

    def lose(*_: object) -> None:
        raise RepositoryNotFoundError("there is no such repository")

    def lose_all(*_: object) -> None:
        source.registry.images = lose  # type: ignore[assignment, method-assign]
        lose()

    source.content.copy_blob = lose_all  # type: ignore[method-assign]

    (outcome,) = replicate(source, AMD64)

    assert (outcome.error, outcome.remark) == (None, "the image is gone")


def test_other_destinations_get_the_image_when_one_refuses_it() -> None:
    source = world([AMD64], {"1.4.2": AMD64})
    to = (Destination(region="ap-south-2"), Destination(region=AWAY.region))
    source.registry.calls.fail_before("create_repository", AccessDeniedError("the organisation denies ap-south-2"))

    refused, done = replicate(source, AMD64, replicate=(ReplicationRules(to),))

    assert isinstance(refused.error, AccessDeniedError)
    assert done.error is None
    assert replica_tags(source, AMD64) == {"1.4.2"}


def test_image_arrives_when_a_setting_of_the_destination_is_refused() -> None:
    source = world([AMD64], {"1.4.2": AMD64})
    source.registry.calls.fail_before("put_scan_on_push", RefusedByRegistryError("deprecated"))

    (outcome,) = replicate(source, AMD64)

    assert isinstance(outcome.error, RefusedByRegistryError)
    assert replica_tags(source, AMD64) == {"1.4.2"}
    assert source.registry.settings_of(REPLICA) == replace(SETTINGS_OF_COPIES, scan_on_push=False)


def test_alias_follows_its_source_when_it_moves_while_the_older_image_is_copied() -> None:
    source = world([AMD64, ARM64], {"1.4.2": AMD64, "1-latest": AMD64, "1.4.3": ARM64})
    replicate(source, ARM64)
    put = source.content.put_manifest

    def put_while_the_alias_moves(repository: RepositoryRef, held: Manifest) -> None:
        put(repository, held)
        source.registry.add_image_tag(ImageRef(API, ARM64.digest), ImageTag("1-latest"))

    source.content.put_manifest = put_while_the_alias_moves  # type: ignore[method-assign]

    replicate(source, AMD64)

    assert replica_tags(source, AMD64) == {"1.4.2"}


def test_alias_follows_its_source_when_it_moves_while_it_is_put() -> None:
    source = world([AMD64, ARM64], {"1.4.2": AMD64, "1-latest": AMD64, "1.4.3": ARM64})
    replicate(source, ARM64)
    add = source.registry.add_image_tag

    def move_the_alias_first(image: ImageRef, image_tag: ImageTag) -> None:
        if image.repository == REPLICA and image_tag == "1-latest" and image.digest == AMD64.digest:
            add(ImageRef(API, ARM64.digest), image_tag)
        add(image, image_tag)

    source.registry.add_image_tag = move_the_alias_first  # type: ignore[method-assign]

    replicate(source, AMD64)

    assert replica_tags(source, ARM64) == {"1.4.3", "1-latest"}


def test_image_does_not_wait_for_a_referrer_that_cannot_be_read() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    read = source.content.manifest

    def read_all_but_the_sbom(repository: RepositoryRef, digest: Digest) -> Manifest:
        if digest == SBOM.digest:
            raise InvalidManifestError("no schemaVersion")
        return read(repository, digest)

    source.content.manifest = read_all_but_the_sbom  # type: ignore[method-assign]

    (outcome,) = replicate(source)

    assert outcome.error is None
    assert replica_tags(source) == {"1.4.2"}
    assert any(str(SBOM.digest) in remark for remark in outcome.plan.remarks)


def test_signature_by_tag_travels_with_its_image_whatever_tags_the_rule_names() -> None:
    tag = f"sha256-{AMD64.digest.hex}.sig"
    source = world([AMD64, ARM64], {"1.4.2": AMD64, tag: ARM64})
    only = ReplicationRules((Destination(region=AWAY.region),), tags=(Pattern(r"\d+\.\d+\.\d+"),))

    replicate(source, ARM64, replicate=(only,))

    assert replica_tags(source, ARM64) == {tag}


def test_observing_rules_settings_are_not_given_to_a_new_destination() -> None:
    source = world([AMD64], {"1.4.2": AMD64})
    at_home, away = service_rule(match=Match((Pattern("team-.*"),), regions=(Pattern("us-.*"),))), service_rule()
    rules = Rules((at_home, replace(away, name="away", mode=Mode.OBSERVE)))

    replicate_image(
        ImageRef(API, AMD64.digest),
        rules=rules,
        registry=source.registry,
        content=source.content,
        scans=source.scans,
        notices=InMemoryNotices(),
        now=noon,
        applier=applier_of(source.registry, source.content),
    )

    assert source.registry.settings_of(REPLICA).policy is None


def test_destination_settings_stay_when_no_rule_covers_the_destination() -> None:
    away = Repository(replace(REPLICA, name="mirror"), RepositorySettings(mutability=TagMutability(Mutability.MUTABLE)))
    source = world([AMD64], {"1.4.2": AMD64})

    replicate(source, AMD64, replicate=(ReplicationRules((Destination(region=AWAY.region, repository="mirror"),)),))

    assert source.registry.settings_of(away.ref).policy is None


def test_nothing_is_done_when_the_image_is_gone() -> None:
    assert replicate(world([AMD64], {}), ARM64)[0].remark == "the image is gone, or its subject has not been pushed"


def test_blob_that_a_registry_does_not_hold_is_left_where_it_is() -> None:
    foreign = Descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", Digest(f"sha256:{'f' * 64}"), 9)
    held = manifest("windows", blobs=[blob("config"), foreign])
    source = world([held], {"1.4.2": held})

    (outcome,) = replicate(source, held)

    assert str(foreign.digest) not in " ".join(str(step) for step in outcome.plan.steps)


def pushed(source: World, age: timedelta) -> None:
    """Have the index be pushed so long ago."""
    (held,) = (each for each in source.registry.images_in(API) if each.digest == INDEX.digest)
    source.registry.restore(replace(held, pushed_at=NOON - age))


def test_the_time_since_the_push_is_the_lag_when_the_image_has_arrived() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    pushed(source, timedelta(seconds=90))

    (outcome,) = replicate(source)

    assert outcome.lag == Lag(str(AWAY), 90.0)


def test_there_is_no_lag_when_the_image_was_there_and_only_got_another_tag() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    replicate(source)
    give_tag(source.registry, ImageRef(API, INDEX.digest), ImageTag("1.4.3"))
    pushed(source, timedelta(seconds=90))

    (outcome,) = replicate(source)

    assert "1.4.3" in replica_tags(source)
    assert outcome.lag is None


def test_there_is_no_lag_when_the_image_is_so_old_that_no_push_has_brought_it() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    pushed(source, LOOK_BACK + timedelta(seconds=1))

    (outcome,) = replicate(source)

    assert replica_tags(source) == {"1.4.2"}
    assert outcome.lag is None


def test_there_is_no_lag_when_the_copy_has_failed() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    pushed(source, timedelta(seconds=90))
    source.registry.calls.fail_before("put_manifest", ThrottledError("slow down"))

    (outcome,) = replicate(source)

    assert outcome.error is not None
    assert outcome.lag is None
