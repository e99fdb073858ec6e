"""Copies to registries that are not ECR."""

from dataclasses import replace
from typing import Any

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.memory.messages import InMemoryReplicationQueue
from ecr_steward.adapters.memory.stores import InMemoryStore
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, OtherRepository, RepositoryRef
from ecr_steward.domain.notices import ImageReplicated
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.plan import PutImageTag
from ecr_steward.domain.rules import Destination, OtherDestination, ReplicationRules, Rules
from ecr_steward.errors import (
    ImageNotFoundError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    StewardError,
)
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import applier_of
from tests.given.rules import API, AWAY, HOME, Pattern, rulebook, service_rule
from tests.given.worlds import World, blob, give_tag, hands_of, manifest, world

AMD64 = manifest("amd64", blobs=[blob("config amd64"), blob("shared")])
ARM64 = manifest("arm64", blobs=[blob("config arm64"), blob("shared")])
INDEX = manifest("index", children=[AMD64, ARM64])
SBOM = manifest("sbom", blobs=[blob("sbom")], subject=INDEX)
ALL = [AMD64, ARM64, INDEX, SBOM]
GHCR = OtherDestination("ghcr.io", "acme/{name}", "ecr-steward/ghcr")
MIRROR = OtherRepository("ghcr.io", f"acme/{API.name}", "ecr-steward/ghcr")
SPOKE = replace(HOME, account="222233334444")
ELSEWHERE = (ReplicationRules((), elsewhere=(GHCR,)),)


def replicate(
    there: World, held: Manifest = INDEX, notices: InMemoryNotices | None = None, **changes: object
) -> Outcome:
    (outcome,) = replicate_image(
        ImageRef(API, held.digest),
        rules=rulebook(**{"replicate": ELSEWHERE, **changes}),
        registry=there.registry,
        content=there.content,
        scans=there.scans,
        notices=notices or InMemoryNotices(),
        now=noon,
        applier=applier_of(there.registry, there.content),
    )
    return outcome


def sweep(there: World, queue: InMemoryReplicationQueue | None = None, **changes: object) -> SweepOutcome:
    return reconcile_registry(
        [HOME],
        rules=rulebook(**{"image_tags": None, "repository": None, "replicate": ELSEWHERE, **changes}),
        hands=hands_of(there, InMemoryNotices(), queue or InMemoryReplicationQueue()),
    )


def contested(rival: RepositoryRef) -> str:
    """Why nothing is copied where that one goes to the same place."""
    return (
        f"nothing is copied to {MIRROR}: {rival} goes to the same place; expected one account and region in `match`, "
        "and a place of its own for each source"
    )


def mirror(there: World) -> InMemoryStore:
    return there.content.elsewhere(MIRROR)


def test_a_whole_graph_arrives_children_first_and_tags_last() -> None:
    there, notices = world(ALL, {"1.4.2": INDEX, "1-latest": INDEX}), InMemoryNotices()

    outcome = replicate(there, notices=notices)

    assert outcome.error is None
    put = [call.arguments[0] for call in there.registry.calls.entries if call.method == "put_manifest"]
    assert put == [AMD64.digest, ARM64.digest, INDEX.digest, SBOM.digest, "1-latest", "1.4.2"]
    assert mirror(there).tags == {"1.4.2": INDEX.digest, "1-latest": INDEX.digest}
    told = frozenset({ImageTag("1-latest"), ImageTag("1.4.2")})
    assert notices.published == [ImageReplicated("services", ImageRef(API, INDEX.digest), MIRROR, told)]


def test_nothing_is_moved_or_read_of_the_source_when_each_tag_is_there() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    replicate(there)
    there.registry.calls.clear()

    outcome = replicate(there)

    assert outcome.plan.is_empty
    assert not {"manifest", "put_manifest", "write_blob", "has_blob"} & set(there.registry.calls.methods)


def test_a_referrer_that_is_pushed_later_follows_its_image() -> None:
    there = world(ALL[:3], {"1.4.2": INDEX})
    replicate(there)
    of_a_child = manifest("signature of a child", blobs=[blob("signature")], subject=ARM64)
    there.content.hold(API, SBOM)
    there.content.hold(API, of_a_child)

    replicate(there, SBOM)

    assert {SBOM.digest, of_a_child.digest} <= set(mirror(there).manifests)
    assert replicate(there).plan.is_empty


def test_only_what_is_missing_goes_when_a_tag_has_moved() -> None:
    there = world(ALL, {"1-latest": INDEX, "1.4.2": INDEX})
    replicate(there)
    next_one = manifest("next", blobs=[blob("config next"), blob("shared")])
    there.content.hold(API, next_one)
    for tag in ("1-latest", "1.4.3"):
        give_tag(there.registry, ImageRef(API, next_one.digest), ImageTag(tag))
    there.registry.calls.clear()

    outcome = replicate(there, next_one)

    assert next(str(step) for step in outcome.plan.steps if "1-latest" in str(step)) == (
        f"put image tag 1-latest on {next_one.digest} in ghcr.io/acme/{API.name}, moving it from {INDEX.digest}"
    )
    assert mirror(there).tags == {"1-latest": next_one.digest, "1.4.2": INDEX.digest, "1.4.3": next_one.digest}
    written = [call.arguments[0] for call in there.registry.calls.entries if call.method == "write_blob"]
    assert written == [blob("config next").digest]


def test_a_child_that_is_missing_is_brought_although_its_index_is_there() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    replicate(there)
    del mirror(there).manifests[ARM64.digest]
    del mirror(there).tags[ImageTag("1.4.2")]

    replicate(there)

    assert ARM64.digest in mirror(there).manifests
    assert mirror(there).tags == {"1.4.2": INDEX.digest}


def test_ecr_and_another_registry_get_an_image_by_one_rule() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    both = (ReplicationRules((Destination(region=AWAY.region),), elsewhere=(GHCR,)),)

    outcomes = replicate_image(
        ImageRef(API, INDEX.digest),
        rules=rulebook(replicate=both),
        registry=there.registry,
        content=there.content,
        scans=there.scans,
        notices=InMemoryNotices(),
        now=noon,
        applier=applier_of(there.registry, there.content),
    )

    assert [outcome.subject.partition(" to ")[2] for outcome in outcomes] == [str(API.in_registry(AWAY)), str(MIRROR)]
    assert there.registry.holds(ImageRef(API.in_registry(AWAY), INDEX.digest))
    assert mirror(there).tags == {"1.4.2": INDEX.digest}


def test_no_tag_is_put_when_the_content_was_refused() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    there.registry.calls.fail_before("put_manifest", RefusedByRegistryError("no such media type here"))

    outcome = replicate(there)

    assert isinstance(outcome.error, RefusedByRegistryError)
    assert mirror(there).tags == {}


def test_a_registry_that_shows_another_image_than_it_took_is_told() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    elsewhere = mirror(there)
    put = elsewhere.put_manifest

    def put_and_lose(given: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        put(given, image_tag, is_top=is_top)
        elsewhere.tags.update(dict.fromkeys(elsewhere.tags, AMD64.digest))

    elsewhere.put_manifest = put_and_lose  # type: ignore[method-assign]

    outcome = replicate(there)

    assert isinstance(outcome.error, RegistryUnavailableError)  # a copy of the other image may have been faster
    assert str(AMD64.digest) in str(outcome.error)


@pytest.mark.parametrize("error", [RepositoryNotFoundError, ImageNotFoundError])
def test_it_is_no_passing_fault_when_a_registry_makes_no_repository(error: type[StewardError]) -> None:
    there = world(ALL, {"1.4.2": INDEX})
    there.registry.calls.fail_before("write_blob", error("there is no repository acme"))

    outcome = replicate(there)

    assert isinstance(outcome.error, RefusedByRegistryError)
    assert "does the registry make repositories" in str(outcome.error)


def test_a_sweep_asks_for_the_copy_that_no_event_has_made_and_then_for_none() -> None:
    there, queue = world(ALL, {"1.4.2": INDEX}), InMemoryReplicationQueue()

    found = sweep(there, queue)
    replicate(there)
    again = sweep(there)

    assert [job.image for job in queue.requested] == [ImageRef(API, INDEX.digest)]
    (outcome,) = found.outcomes
    assert isinstance(outcome.plan.steps[-1], PutImageTag)
    assert (again.requested, again.outcomes) == (0, ())


def test_a_sweep_tells_of_a_silent_registry_once_and_goes_on() -> None:
    others = [manifest(f"image {number}", blobs=[blob(f"config {number}")]) for number in range(5)]
    there = world([*ALL, *others], {"1.4.2": INDEX, **{f"1.5.{number}": each for number, each in enumerate(others)}})
    other_name = replace(API, name="team-b/api")
    there.content.hold(other_name, AMD64)
    give_tag(there.registry, ImageRef(other_name, AMD64.digest), ImageTag("1.0.0"))
    there.registry.calls.fail_before("digest_of", RegistryUnavailableError("ghcr.io does not answer"))
    both = (ReplicationRules((Destination(region=AWAY.region),), elsewhere=(GHCR,)),)

    found = sweep(there, replicate=both)

    assert [failure.why for failure in found.failures] == ["ghcr.io does not answer"]
    assert there.registry.calls.methods.count("digest_of") == 1
    assert found.requested == 7  # their copies in ECR


def test_one_image_that_is_refused_keeps_no_other_from_being_copied() -> None:
    others = [manifest(f"image {number}", blobs=[blob(f"config {number}")]) for number in range(5)]
    there = world(others, {f"1.5.{number}": each for number, each in enumerate(others)})
    there.registry.calls.fail_before("manifest", RefusedByRegistryError("that is no manifest"))

    found = sweep(there)

    assert [failure.why for failure in found.failures] == ["that is no manifest"]
    assert found.requested == 4


def test_no_tag_is_put_on_later_tries_while_a_blob_is_lost() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    elsewhere = mirror(there)
    write = elsewhere.write_blob

    def write_and_lose(given: Descriptor, *how: Any) -> bool:
        done = write(given, *how)
        lost.update({given.digest: elsewhere.blobs[given.digest]} if given.digest == blob("shared").digest else {})
        return done

    lost: dict[Digest, bytes] = {}
    elsewhere.write_blob = write_and_lose  # type: ignore[method-assign]
    elsewhere.has_blob = lambda digest: digest in elsewhere.blobs and digest not in lost  # type: ignore[method-assign]

    first, second = replicate(there), replicate(there)

    assert isinstance(first.error, StewardError)
    assert isinstance(second.error, StewardError)
    assert elsewhere.tags == {}


def signed(number: int) -> list[Manifest]:
    """An index of two images, each of which is signed."""
    images = [manifest(f"image {number} {which}", blobs=[blob(f"config {number} {which}")]) for which in "ab"]
    signatures = [manifest(f"signature of {one.digest}", blobs=[blob(f"{one.digest}")], subject=one) for one in images]
    return [*images, manifest(f"index {number}", children=images), *signatures]


def requests_of_a_sweep_with_nothing_to_do(images: int) -> int:
    graphs = [signed(number) for number in range(images)]
    orphan = manifest("signature of nobody", blobs=[blob("nobody")], subject=manifest("nobody"))
    there = world(
        [each for graph in graphs for each in graph], {f"1.0.{n}": graph[2] for n, graph in enumerate(graphs)}
    )
    for graph in graphs:
        assert replicate(there, graph[2]).error is None
    there.content.hold(API, orphan)
    there.registry.calls.clear()

    found = sweep(there)

    assert (found.requested, found.failures) == (0, ())
    assert "manifest" not in there.registry.calls.methods
    return there.registry.calls.methods.count("digest_of")


def test_a_sweep_asks_for_each_thing_once_however_many_images_there_are() -> None:
    assert requests_of_a_sweep_with_nothing_to_do(8) - requests_of_a_sweep_with_nothing_to_do(4) == 4 * 5


def test_nothing_is_copied_where_another_registry_would_copy_to_the_same_place() -> None:
    there = world(ALL, {"1.4.2": INDEX})
    twice = rulebook(image_tags=None, repository=None, replicate=ELSEWHERE)
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())

    found = reconcile_registry([HOME, SPOKE], rules=twice, hands=hands)
    (outcome,) = replicate_image(
        ImageRef(API, INDEX.digest),
        rules=twice,
        registry=there.registry,
        content=there.content,
        scans=there.scans,
        notices=InMemoryNotices(),
        now=noon,
        applier=applier_of(there.registry, there.content),
        homes=(HOME, SPOKE),
    )

    assert found.requested == 0
    assert [outcome.remark or "" for outcome in found.outcomes] == [contested(API.in_registry(SPOKE))]
    assert outcome.plan.remarks == (contested(API.in_registry(SPOKE)),)
    assert mirror(there).manifests == {}


def test_each_registry_copies_where_the_names_differ() -> None:
    here = replace(service_rule(), match=replace(service_rule().match, regions=(Pattern(HOME.region),)))
    rules = Rules((replace(here, image_tags=None, repository=None, replicate=ELSEWHERE),))
    there, queue = world(ALL, {"1.4.2": INDEX}), InMemoryReplicationQueue()

    reconcile_registry([HOME, AWAY], rules=rules, hands=hands_of(there, InMemoryNotices(), queue))

    assert [job.image for job in queue.requested] == [ImageRef(API, INDEX.digest)]


def test_an_image_tag_that_only_ecr_takes_stays_behind_and_is_told() -> None:
    long = "1.4.2-" + "x" * 130
    there = world(ALL, {"1.4.2": INDEX, long: INDEX})

    outcome = replicate(there, image_tags=None)

    assert outcome.error is None
    assert mirror(there).tags == {"1.4.2": INDEX.digest}
    assert f"{long} is longer than registries beside ECR take" in outcome.plan.remarks


@pytest.mark.parametrize("name", [None, "fixed"])
def test_the_name_elsewhere_is_the_sources_unless_the_rule_says_another(name: str | None) -> None:
    assert replace(GHCR, repository=name).of(API).name == (name or API.name)
