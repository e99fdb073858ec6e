"""What images lack of labels, annotations and companions, read from their content where a rule asks for it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward.adapters.memory import InMemoryContents
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.requirements import VALUE_LIMIT
from ecr_steward.domain.tag_rules import CompanionRules, Requirement, TagRules
from ecr_steward.errors import (
    AccessDeniedError,
    InvalidImageConfigError,
    InvalidManifestError,
    OutOfTimeError,
    RegistryUnavailableError,
    StewardError,
    ThrottledError,
)
from ecr_steward.usecases.content_memory import ContentMemory
from ecr_steward.usecases.describing import Describer
from tests.given.rules import API, Pattern
from tests.given.worlds import World, blob, config, manifest, sbom_of, signature, world

SOURCE = Requirement("source")
REVISION = Requirement("revision", Pattern("[0-9a-f]{40}"))
SPDX = "application/spdx+json"
SBOM_WANTED = TagRules(companions=CompanionRules((SPDX,)))
SIGNATURE_WANTED = TagRules(companions=CompanionRules(cosign_signature=True))
LATER = NOON + timedelta(hours=1)

IMAGE = manifest("image", blobs=[config("of the image"), blob("layer")], annotations={"source": "https://example.com"})
BARE = manifest("bare", blobs=[config("bare"), blob("layer")])


def lacking(
    world: World, rules: TagRules, now: Any = LATER, focus: Iterable[Digest] | None = None
) -> dict[Digest, Any]:
    images = world.registry.images(API)
    world.registry.calls.clear()
    facts = Describer(world.registry, world.content, lambda: now).facts(
        rules, images, images.digests if focus is None else focus
    )
    return dict(facts.shortcomings)


def labelled(held: Manifest, labels: dict[str, str] | StewardError, tag: str = "1.4.2") -> World:
    made = world([held], {tag: held})
    made.content.hold_labels(held.blobs[0].digest, labels)
    return made


def test_nothing_is_read_when_no_rule_asks_for_content() -> None:
    made = world([IMAGE], {"1.4.2": IMAGE})

    assert lacking(made, TagRules(allow=(Pattern("x"),))) == {}
    assert made.registry.calls.entries == []


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({"source": "https://example.com", "revision": "a" * 40}, None),
        ({"source": "https://example.com"}, "label 'revision' is missing in {image}"),
        ({"source": "", "revision": "a" * 40}, "label 'source' is empty in {image}"),
        (
            {"source": "x", "revision": "main"},
            "label 'revision' is 'main', which does not match '[0-9a-f]{{40}}' in {image}",
        ),
        (
            {"source": "x" * (VALUE_LIMIT + 1), "revision": "a" * 40},
            "label 'source' has more than 4096 characters in {image}",
        ),
    ],
)
def test_labels_are_those_of_the_config_when_an_image_must_have_them(
    labels: dict[str, str], reason: str | None
) -> None:
    found = lacking(labelled(IMAGE, labels), TagRules(labels=(SOURCE, REVISION)))

    assert found == ({IMAGE.digest: (reason.format(image=IMAGE.digest),)} if reason else {})


def test_annotations_are_those_of_the_manifest_when_an_image_must_have_them() -> None:
    made = world([IMAGE, BARE], {"1.4.2": IMAGE, "1.4.3": BARE})

    found = lacking(made, TagRules(annotations=(SOURCE,)))

    assert found == {BARE.digest: ("annotation 'source' is missing",)}
    assert made.registry.calls.methods == ["manifest", "manifest"]


def test_an_index_needs_its_own_annotations_and_the_labels_of_each_image_that_runs() -> None:
    arm = manifest("arm", blobs=[config("arm")])
    intel = manifest("intel", blobs=[config("intel")])
    attestation = manifest("attestation", blobs=[config("attestation")])
    index = manifest("index", children=[arm, intel, attestation], annotations={"source": "here"})
    platforms = ("linux/arm64", "linux/amd64", "unknown/unknown")
    index = replace(
        index, children=tuple(replace(c, platform=p) for c, p in zip(index.children, platforms, strict=True))
    )
    made = world([arm, intel, attestation, index], {"1.4.2": index})
    made.content.hold_labels(arm.blobs[0].digest, {"source": "here"})

    found = lacking(made, TagRules(labels=(SOURCE,), annotations=(SOURCE,)))

    assert found == {index.digest: (f"label 'source' is missing in {intel.digest}",)}


def test_an_index_within_an_index_is_read_when_labels_are_asked_for() -> None:
    inner = manifest("inner", children=[BARE])
    outer = manifest("outer", children=[inner])
    made = world([BARE, inner, outer], {"1.4.2": outer})

    assert lacking(made, TagRules(labels=(SOURCE,))) == {outer.digest: (f"label 'source' is missing in {BARE.digest}",)}


def test_a_label_is_missing_when_an_index_leads_to_nothing_that_runs() -> None:
    attestation = manifest("attestation", blobs=[config("attestation")])
    index = manifest("index", children=[attestation])
    index = replace(index, children=(replace(index.children[0], platform="unknown/unknown"),))
    made = world([attestation, index], {"1.4.2": index})

    assert lacking(made, TagRules(labels=(SOURCE,))) == {
        index.digest: ("label 'source' is missing: it leads to no image that could have labels",)
    }


def test_a_chart_has_no_labels_and_its_config_is_not_read() -> None:
    chart = manifest("chart", blobs=[Descriptor("application/vnd.cncf.helm.config.v1+json", blob("c").digest, 1)])
    made = world([chart], {"1.4.2": chart})

    assert lacking(made, TagRules(labels=(SOURCE,))) == {
        chart.digest: (f"label 'source' is missing in {chart.digest}",)
    }
    assert "labels" not in made.registry.calls.methods


@pytest.mark.parametrize("error", [InvalidImageConfigError("no JSON"), InvalidManifestError("too large")])
def test_what_cannot_be_read_is_a_shortcoming_with_its_reason(error: StewardError) -> None:
    assert lacking(labelled(IMAGE, error), TagRules(labels=(SOURCE,))) == {IMAGE.digest: (str(error),)}


def test_a_damaged_config_is_a_shortcoming() -> None:
    made = labelled(IMAGE, {"source": "here"})
    made.content.damaged.add((API, IMAGE.blobs[0].digest))

    (reason,) = lacking(made, TagRules(labels=(SOURCE,)))[IMAGE.digest]

    assert "other bytes" in reason


def test_a_malformed_manifest_is_a_shortcoming_with_its_reason() -> None:
    made = world([IMAGE], {"1.4.2": IMAGE})
    made.registry.calls.fail_before("manifest", InvalidManifestError("a key occurs twice"))

    assert lacking(made, TagRules(annotations=(SOURCE,))) == {IMAGE.digest: ("a key occurs twice",)}


@pytest.mark.parametrize(
    "error", [ThrottledError("slow"), RegistryUnavailableError("cut"), AccessDeniedError("ecr:BatchGetImage")]
)
@pytest.mark.parametrize("method", ["manifest", "labels"])
def test_nothing_passes_when_it_may_be_readable_another_time(method: str, error: StewardError) -> None:
    made = labelled(IMAGE, {"source": "here"})
    made.registry.calls.fail_before(method, error)

    facts = Describer(made.registry, made.content, lambda: NOON).facts(
        TagRules(labels=(SOURCE,)), made.registry.images(API), [IMAGE.digest]
    )

    assert facts.shortcomings == {}
    assert facts.errors == (error,)


@pytest.mark.parametrize(
    ("error", "asked"), [(AccessDeniedError("the key of the repository"), 2), (ThrottledError("slow down"), 1)]
)
def test_other_images_are_asked_when_one_is_closed_and_none_when_the_registry_is_tired(
    error: StewardError, asked: int
) -> None:
    made = world([IMAGE, BARE], {"1.4.2": IMAGE, "1.4.3": BARE})
    made.registry.calls.fail_before("manifest", error)

    facts = Describer(made.registry, made.content, lambda: NOON, workers=1).facts(
        TagRules(annotations=(Requirement("nowhere"),)), made.registry.images(API), [IMAGE.digest, BARE.digest]
    )

    assert facts.errors == (error,)
    assert len(facts.shortcomings) == asked - 1
    assert made.registry.calls.methods.count("manifest") == asked


def test_every_image_is_described_when_there_are_more_than_are_read_at_a_time() -> None:
    many = [manifest(f"image {n}", blobs=[config(f"of image {n}")]) for n in range(30)]
    made = world(many, {f"1.4.{n}": held for n, held in enumerate(many)})
    for held in many[::2]:
        made.content.hold_labels(held.blobs[0].digest, {"source": "here"})

    found = lacking(made, TagRules(labels=(SOURCE,)))

    assert set(found) == {held.digest for held in many[1::2]}


@pytest.mark.parametrize("method", ["manifest", "labels"])
def test_an_image_lacks_nothing_when_it_is_deleted_while_it_is_read(method: str) -> None:
    made = labelled(BARE, {})
    images = made.registry.images(API)
    read = getattr(made.content, method)

    def read_too_late(*arguments: Any) -> Any:
        made.registry.delete(ImageRef(API, BARE.digest))
        if method == "labels":
            made.registry.calls.fail_before("labels", InvalidImageConfigError("gone"))
        return read(*arguments)

    setattr(made.content, method, read_too_late)

    facts = Describer(made.registry, made.content, lambda: LATER).facts(
        TagRules(labels=(SOURCE,)), images, [BARE.digest]
    )

    assert facts.shortcomings == {}


def test_an_image_is_not_asked_when_nobody_pulls_it_by_a_tag_of_its_own() -> None:
    sbom = sbom_of(IMAGE)
    quarantined = manifest("bad", blobs=[config("bad")])
    made = world(
        [IMAGE, BARE, sbom, signature(), quarantined],
        {
            "sbom-of-it": sbom,
            f"sha256-{IMAGE.digest.hex}.sig": signature(),
            f"quarantine-{quarantined.digest.hex[:12]}": quarantined,
        },
    )

    assert lacking(made, TagRules(labels=(SOURCE,), companions=CompanionRules((SPDX,), True))) == {}
    assert made.registry.calls.entries == []


@pytest.mark.parametrize(
    ("age", "missing"), [(timedelta(minutes=59), False), (timedelta(hours=1), True), (timedelta(days=9), True)]
)
def test_companions_are_missed_when_their_time_is_over(age: timedelta, missing: bool) -> None:
    made = world([IMAGE], {"1.4.2": IMAGE})

    found = lacking(made, TagRules(companions=CompanionRules((SPDX,), cosign_signature=True)), NOON + age)

    reasons = (
        "there is no referrer of the type 'application/spdx+json' 1h after its push",
        f"there is no signature of cosign's, sha256-{IMAGE.digest.hex}.sig, 1h after its push",
    )
    assert found == ({IMAGE.digest: reasons} if missing else {})


@pytest.mark.parametrize(
    ("within", "spelled"),
    [
        (timedelta(minutes=90), "90m after its push"),
        (timedelta(days=2), "2d after its push"),
        (timedelta(), "beside it"),
    ],
)
def test_the_time_is_told_as_the_rulebook_writes_it(within: timedelta, spelled: str) -> None:
    made = world([IMAGE], {"1.4.2": IMAGE})
    rules = TagRules(companions=CompanionRules((SPDX,), within=within))

    (reason,) = lacking(made, rules, NOON + timedelta(days=3))[IMAGE.digest]

    assert reason.endswith(spelled)


@pytest.mark.parametrize(("artifact_type", "is_wanted"), [(SPDX, True), ("application/vnd.cyclonedx+json", False)])
def test_a_referrer_is_a_companion_when_it_has_the_type(artifact_type: str, is_wanted: bool) -> None:
    sbom = manifest("sbom", subject=IMAGE, artifact_type=artifact_type)
    made = world([IMAGE, sbom], {"1.4.2": IMAGE})

    assert (lacking(made, SBOM_WANTED) == {}) is is_wanted


def test_the_registry_is_not_asked_for_referrers_when_there_are_none() -> None:
    made = world([IMAGE, BARE], {"1.4.2": IMAGE})

    assert IMAGE.digest in lacking(made, SBOM_WANTED)
    assert "referrers" not in made.registry.calls.methods


def test_cosigns_tag_is_a_companion_when_it_names_the_image() -> None:
    evil = manifest("evil", blobs=[config("evil"), blob("layer")])
    images = {"1.4.2": IMAGE, "1.4.3": BARE, "1.4.4": evil}
    attached = {f"sha256-{IMAGE.digest.hex}.sig": signature(), f"sha256-{BARE.digest.hex}.sig": evil}
    made = world([IMAGE, BARE, evil, signature()], images | attached)

    found = {digest for digest, reasons in lacking(made, SIGNATURE_WANTED).items() if reasons}

    assert found == {BARE.digest, evil.digest}, "an image that can run is the signature of no other"


def test_what_an_index_brings_along_is_not_asked_of_its_parts_when_they_are_tagged() -> None:
    index = manifest("index", children=[BARE])
    other = manifest("other", blobs=[config("other")])
    tags = {"1.4.2-arm64": BARE, "1.4.2": index, "1.4.3": other, f"sha256-{index.digest.hex}.sig": signature()}
    made = world([BARE, index, other, signature()], tags)

    assert [digest for digest, reasons in lacking(made, SIGNATURE_WANTED).items() if reasons] == [other.digest]


def test_a_part_needs_its_labels_itself_when_it_is_tagged() -> None:
    index = manifest("index", children=[BARE], annotations={"source": "here"})
    made = world([BARE, index], {"1.4.2-arm64": BARE, "1.4.2": index})

    found = lacking(made, TagRules(labels=(SOURCE,), annotations=(SOURCE,)))

    assert found == dict.fromkeys((BARE.digest, index.digest), (f"label 'source' is missing in {BARE.digest}",))


def test_a_part_is_an_image_like_any_other_when_its_index_is_in_quarantine() -> None:
    index = manifest("index", children=[BARE])
    made = world([BARE, index], {"1.4.2-arm64": BARE, f"quarantine-{index.digest.hex[:12]}": index})

    assert lacking(made, TagRules(annotations=(SOURCE,))) == {BARE.digest: ("annotation 'source' is missing",)}


@pytest.mark.parametrize(
    ("tag", "age", "asked"),
    [
        ("1.4.2-arm64", timedelta(minutes=59), False),
        ("1.4.2-arm64", timedelta(hours=1), True),
        ("1.4.2", timedelta(), True),
    ],
)
def test_a_part_is_not_asked_when_its_index_may_still_come(tag: str, age: timedelta, asked: bool) -> None:
    made = world([BARE], {tag: BARE})

    assert bool(lacking(made, TagRules(annotations=(SOURCE,)), NOON + age)) is asked


WANTED = TagRules(labels=(SOURCE,), annotations=(SOURCE,), companions=CompanionRules((SPDX,)))
SBOM = manifest("sbom", blobs=[blob("sbom")], subject=IMAGE, artifact_type=SPDX)


def remembering(made: World, contents: InMemoryContents) -> Describer:
    """What the next sweep describes with."""
    return Describer(made.registry, made.content, lambda: LATER, memory=ContentMemory(API, contents))


def facts(made: World, describer: Describer, rules: TagRules = WANTED) -> tuple[dict[Digest, Any], list[str]]:
    """What images lack, and what was asked for."""
    images = made.registry.images(API)
    made.registry.calls.clear()
    found = describer.facts(rules, images, images.digests)
    return dict(found.shortcomings), made.registry.calls.methods


def described() -> World:
    made = world([IMAGE, BARE, SBOM], {"1.4.2": IMAGE, "1.4.3": BARE})
    made.content.hold_labels(IMAGE.blobs[0].digest, {"source": "https://example.com"})
    made.content.hold_labels(BARE.blobs[0].digest, {"source": "https://example.com"})
    return made


def test_nothing_is_read_and_the_same_is_missed_when_an_earlier_sweep_has_read_it() -> None:
    made, contents = described(), InMemoryContents()
    first, read = facts(made, remembering(made, contents))
    assert "labels" in read

    again, asked = facts(made, remembering(made, contents))

    assert again == first
    assert first[BARE.digest][0] == "annotation 'source' is missing"
    assert IMAGE.digest not in first
    assert asked == []


def test_values_are_judged_anew_and_other_labels_read_anew_when_the_rule_changes() -> None:
    made, contents = described(), InMemoryContents()
    facts(made, remembering(made, contents))
    stricter = replace(WANTED, labels=(replace(SOURCE, pattern=Pattern("no such")),))
    found, asked = facts(made, remembering(made, contents), stricter)
    assert any("does not match" in why for why in found[IMAGE.digest])
    assert asked == []

    other = replace(WANTED, labels=(REVISION,))
    found, asked = facts(made, remembering(made, contents), other)

    assert f"label 'revision' is missing in {IMAGE.digest}" in found[IMAGE.digest]
    assert "labels" in asked


def test_referrers_are_asked_for_when_one_has_come_that_is_not_known() -> None:
    made, contents = described(), InMemoryContents()
    facts(made, remembering(made, contents))
    late = manifest("late", blobs=[blob("late")], subject=BARE, artifact_type=SPDX)
    made.content.hold(API, late)

    found, asked = facts(made, remembering(made, contents))

    assert [why for why in found[BARE.digest] if SPDX in why] == []
    assert asked.count("referrers") == 1


def test_what_was_read_is_remembered_when_the_time_is_over_before_all_is() -> None:
    made, contents = described(), InMemoryContents()
    made.registry.calls.each = lambda method: made.registry.calls.methods.count("labels") < 2 or out_of_time()
    describer = replace(remembering(made, contents), workers=1)
    images = made.registry.images(API)

    found = describer.facts(replace(WANTED, companions=None), images, images.digests)

    assert [type(error).__name__ for error in found.errors] == ["OutOfTimeError"]
    assert len(contents.known(API).said) == 1


def test_what_could_not_be_read_is_read_again() -> None:
    made, contents = labelled(BARE, InvalidImageConfigError("two values")), InMemoryContents()
    rules = TagRules(labels=(SOURCE,))
    first, _ = facts(made, remembering(made, contents), rules)

    again, asked = facts(made, remembering(made, contents), rules)

    assert again == first == {BARE.digest: ("two values",)}
    assert "labels" in asked


def out_of_time() -> None:
    raise OutOfTimeError("the time of this invocation is over")
