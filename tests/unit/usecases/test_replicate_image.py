from dataclasses import replace

import pytest

from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.notices import ImageReplicated
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.repositories import Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.rules import Destination, Mode, ReplicationRules
from ecr_steward.errors import DigestMismatchError, ImageTagIsImmutableError, RegistryUnavailableError
from ecr_steward.usecases.replicate_image import ROUNDS, replicate_image
from ecr_steward_fakes import FakeNotices
from ecr_steward_fakes.rules import API, AWAY, SETTINGS, Pattern, rulebook
from ecr_steward_fakes.worlds import World, blob, give_tag, manifest, world

AMD64 = manifest("amd64", blobs=[blob("config amd64"), blob("shared")])
ARM64 = manifest("arm64", blobs=[blob("config arm64"), blob("shared")])
INDEX = manifest("index", children=[AMD64, ARM64])
SBOM = manifest("sbom", blobs=[blob("sbom")], subject=INDEX)
SIGNATURE = manifest("signature of the sbom", blobs=[blob("signature")], subject=SBOM)
ALL = [AMD64, ARM64, INDEX, SBOM, SIGNATURE]
REPLICA = API.in_registry(AWAY)


def replicate(
    world: World, held: Manifest = INDEX, notices: FakeNotices | None = None, **changes: object
) -> tuple[Outcome, ...]:
    return replicate_image(
        ImageRef(API, held.digest),
        rules=rulebook(**changes),
        registry=world.registry,
        content=world.content,
        notices=notices or FakeNotices(),
    )


def replica_tags(world: World, held: Manifest = INDEX) -> set[str]:
    return set(world.registry.tags_of(ImageRef(REPLICA, held.digest)))


def test_whole_graph_arrives_children_first_and_tags_last_when_an_index_is_replicated() -> None:
    source, notices = world(ALL, {"1.4.2": INDEX, "1-latest": INDEX}), FakeNotices()

    (outcome,) = replicate(source, notices=notices)

    assert [type(step).__name__ for step in outcome.plan.steps][-2:] == ["AddImageTag", "AddImageTag"]
    put = [call.arguments[1] for call in source.registry.calls.entries if call.method == "put_manifest"]
    assert put == [AMD64, ARM64, INDEX, SBOM, SIGNATURE]
    assert replica_tags(source) == {"1.4.2", "1-latest"}
    assert source.registry.settings_of(REPLICA) == SETTINGS
    assert notices.published == [
        ImageReplicated(
            rule="services",
            source=ImageRef(API, INDEX.digest),
            destination=REPLICA,
            image_tags=frozenset({ImageTag("1.4.2"), ImageTag("1-latest")}),
            manifests=tuple(held.digest for held in ALL),
        )
    ]


def test_shared_blob_is_copied_once() -> None:
    source = world(ALL, {"1.4.2": INDEX})

    replicate(source)

    copied = [call.arguments[2] for call in source.registry.calls.entries if call.method == "copy_blob"]
    assert copied.count(blob("shared")) == 1


def test_only_the_missing_child_is_copied_when_somebody_deleted_it_at_the_destination() -> None:
    source = world(ALL, {"1.4.2": INDEX})
    replicate(source)
    source.registry.delete(ImageRef(REPLICA, ARM64.digest))
    source.registry.calls.clear()

    replicate(source)

    assert [call.method for call in source.registry.calls.changes if call.method != "publish"] == ["put_manifest"]


def test_subject_is_replicated_with_it_when_a_referrer_arrives_later() -> None:
    source = world(ALL[:3], {"1.4.2": INDEX})
    replicate(source)
    source.content.hold(API, SBOM)
    source.content.hold(API, SIGNATURE)

    replicate(source, SIGNATURE)

    assert source.content.has_manifest(REPLICA, SIGNATURE.digest)


def test_referrers_stay_when_the_rule_leaves_them_out() -> None:
    source = world(ALL, {"1.4.2": INDEX})

    replicate(source, replicate=(ReplicationRules((Destination(region=AWAY.region),), referrers=False),))

    assert not source.content.has_manifest(REPLICA, SBOM.digest)


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

    with pytest.raises(DigestMismatchError) as caught:
        replicate(source)

    assert caught.value.rule == "services"
    assert replica_tags(source) == set()


def test_error_names_the_tag_when_the_destination_holds_it_for_another_image() -> None:
    source = world([AMD64, ARM64], {"1.4.2": AMD64})
    source.registry.create_repository(REPLICA, SETTINGS.mutability)
    source.content.hold(REPLICA, ARM64)
    give_tag(source.registry, ImageRef(REPLICA, ARM64.digest), ImageTag("1.4.2"))

    with pytest.raises(ImageTagIsImmutableError, match=r"1\.4\.2"):
        replicate(source, AMD64)


def test_job_goes_back_to_its_queue_when_the_image_keeps_changing() -> None:
    source = world([AMD64], {"1.4.2": AMD64})
    original = source.registry.add_image_tag

    def add_then_lose(image: ImageRef, image_tag: ImageTag) -> None:
        original(image, image_tag)
        source.registry.delete(image)

    source.registry.add_image_tag = add_then_lose  # type: ignore[method-assign]

    with pytest.raises(RegistryUnavailableError, match=f"{ROUNDS} rounds"):
        replicate(source, AMD64)


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
