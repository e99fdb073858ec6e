"""What becomes of images that lack something, of tags that have to stay, and of parts that come before their index."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.notices import ViolationFound
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import RemoveImageTag
from ecr_steward.domain.tag_rules import CompanionRules, OnViolation, Requirement, TagRules
from ecr_steward.errors import ThrottledError
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import enforce_image_tags
from tests.given.appliers import applier_of
from tests.given.rules import API, TAG_RULES, Pattern, rulebook
from tests.given.worlds import World, config, manifest, world

IMAGE = manifest("image", blobs=[config("image")])
OLD = manifest("old", blobs=[config("old")])
LABELS = replace(TAG_RULES, labels=(Requirement("team"),))
KEPT = ImageTag(f"quarantine-{IMAGE.digest.hex[:12]}")
ANSWERS = (OnViolation.QUARANTINE, OnViolation.UNTAG)


def enforce(
    made: World,
    held: Manifest,
    rules: TagRules,
    notices: InMemoryNotices | None = None,
    age: timedelta = timedelta(hours=2),
) -> Outcome:
    return enforce_image_tags(
        ImageRef(API, held.digest),
        rules=rulebook(image_tags=rules),
        registry=made.registry,
        describer=Describer(made.registry, made.content, lambda: NOON + age),
        notices=notices or InMemoryNotices(),
        applier=applier_of(made.registry),
    )


def tags(made: World, held: Manifest) -> set[str]:
    return set(made.registry.tags_of(ImageRef(API, held.digest)))


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_image_that_lacks_a_label_loses_all_its_tags_for_a_quarantine_tag(answer: OnViolation) -> None:
    made, notices = world([IMAGE], {"1.4.2": IMAGE, "1.4.2-debug": IMAGE}), InMemoryNotices()

    enforce(made, IMAGE, replace(LABELS, on_violation=answer), notices)

    assert tags(made, IMAGE) == {KEPT}
    assert notices.published == [
        ViolationFound(
            rule="services",
            why=f"label 'team' is missing in {IMAGE.digest}",
            subject=ImageRef(API, IMAGE.digest),
            image_tag=None,
            answer=str(answer),
            quarantine_tag=KEPT,
        )
    ]


def test_it_is_only_told_when_the_rule_says_so() -> None:
    made, notices = world([IMAGE], {"1.4.2": IMAGE}), InMemoryNotices()

    enforce(made, IMAGE, replace(LABELS, on_violation=OnViolation.NOTIFY), notices)

    assert tags(made, IMAGE) == {"1.4.2", "1.4-latest", "1-latest"}
    assert [notice.answer for notice in notices.published if isinstance(notice, ViolationFound)] == ["notify"]


def test_nothing_is_wrong_when_the_label_is_there() -> None:
    made = world([IMAGE], {"1.4.2": IMAGE})
    made.content.hold_labels(IMAGE.blobs[0].digest, {"team": "a"})

    assert enforce(made, IMAGE, LABELS).plan.violations == ()


def test_the_notice_is_the_same_when_an_invocation_was_cut_off_in_the_middle() -> None:
    before, halfway, at_the_end = InMemoryNotices(), InMemoryNotices(), InMemoryNotices()
    alias = {"1-latest": IMAGE, "1.3.0": OLD}

    enforce(world([IMAGE, OLD], {"1.4.2": IMAGE, **alias}), IMAGE, LABELS, before)
    enforce(world([IMAGE, OLD], {"1.4.2": IMAGE, KEPT: IMAGE, **alias}), IMAGE, LABELS, halfway)
    enforce(world([IMAGE, OLD], {KEPT: IMAGE, **alias}), IMAGE, LABELS, at_the_end)

    assert before.published == halfway.published == at_the_end.published != []


def test_aliases_go_to_the_highest_version_left_when_an_image_is_quarantined() -> None:
    made = world([IMAGE, OLD], {"1.4.2": OLD, "1.4.3": IMAGE, "1-latest": IMAGE, "1.4-latest": IMAGE})
    made.content.hold_labels(OLD.blobs[0].digest, {"team": "a"})

    outcome = enforce(made, IMAGE, LABELS)

    assert tags(made, OLD) == {"1.4.2", "1-latest", "1.4-latest"}
    assert tags(made, IMAGE) == {KEPT}
    removed = [step.image_tag for step in outcome.plan.steps if isinstance(step, RemoveImageTag)]
    assert removed == ["1.4.3"], "an alias moves without a gap"


def test_an_alias_of_another_image_goes_when_its_last_version_is_quarantined() -> None:
    made = world([IMAGE, OLD], {"1.4.2": IMAGE, "0.9.0": OLD, "1-latest": OLD})
    made.content.hold_labels(OLD.blobs[0].digest, {"team": "a"})

    outcome = enforce(made, IMAGE, LABELS)

    assert tags(made, IMAGE) == {KEPT}
    assert tags(made, OLD) == {"0.9.0", "0-latest", "0.9-latest"}
    assert [violation.image_tag for violation in outcome.plan.violations] == [None, "1-latest"]


def test_aliases_go_when_no_version_is_left_for_them() -> None:
    made = world([IMAGE], {"1.4.3": IMAGE, "1-latest": IMAGE, "9-latest": IMAGE})

    enforce(made, IMAGE, LABELS)

    assert tags(made, IMAGE) == {KEPT}


def test_no_alias_is_given_to_an_image_that_is_about_to_be_quarantined() -> None:
    made = world([IMAGE, OLD], {"1.4.2": OLD, "1.4.3": IMAGE})

    outcome = enforce(made, IMAGE, LABELS)

    assert not any("latest" in str(step) for step in outcome.plan.steps)


def test_an_alias_that_is_protected_stays_where_it_is() -> None:
    made = world([IMAGE, OLD], {"1.4.2": OLD, "1-latest": OLD, "1.4.3": IMAGE, "1.4-latest": IMAGE})

    outcome = enforce(made, IMAGE, replace(TAG_RULES, protect=(Pattern("1-latest"),)))

    assert tags(made, OLD) == {"1.4.2", "1-latest"}
    assert outcome.plan.remarks == (f"1-latest of {OLD.digest} stays: the rule protects it",)


def test_a_protected_tag_stays_on_an_image_that_lacks_something_and_the_other_tags_go() -> None:
    """attacks G09: else pushing it also as a protected tag would keep its release."""
    made, notices = world([IMAGE], {"1.4.2": IMAGE, "2.0.0": IMAGE}), InMemoryNotices()

    outcome = enforce(made, IMAGE, replace(LABELS, protect=(Pattern(r"2\..*"),)), notices)

    assert tags(made, IMAGE) == {"2.0.0"}
    assert [notice.answer for notice in notices.published if isinstance(notice, ViolationFound)] == ["quarantine"]
    assert outcome.plan.remarks == (f"2.0.0 of {IMAGE.digest} stays: the rule protects it",)
    assert enforce(made, IMAGE, replace(LABELS, protect=(Pattern(r"2\..*"),))).plan.steps == ()


def test_a_protected_tag_stays_and_another_one_goes_when_both_break_the_rule() -> None:
    made, notices = world([IMAGE], {"dev": IMAGE, "latest": IMAGE}), InMemoryNotices()

    enforce(made, IMAGE, replace(TAG_RULES, protect=(Pattern("dev"),)), notices)

    assert tags(made, IMAGE) == {"dev"}
    told = {notice.image_tag: notice.answer for notice in notices.published if isinstance(notice, ViolationFound)}
    assert told == {"dev": "notify", "latest": "quarantine"}


def test_a_tag_is_taken_away_when_the_image_keeps_another_one() -> None:
    made, notices = world([IMAGE], {"dev": IMAGE, "1.4.2": IMAGE}), InMemoryNotices()

    enforce(made, IMAGE, replace(TAG_RULES, on_violation=OnViolation.UNTAG), notices)

    assert tags(made, IMAGE) == {"1.4.2", "1-latest", "1.4-latest"}
    assert [notice.answer for notice in notices.published if isinstance(notice, ViolationFound)] == ["untag"]


def test_a_tag_stays_and_is_told_when_the_image_would_be_left_without() -> None:
    made, notices = world([IMAGE], {"dev": IMAGE, "latest": IMAGE, "1-latest": IMAGE}), InMemoryNotices()

    outcome = enforce(made, IMAGE, replace(TAG_RULES, on_violation=OnViolation.UNTAG), notices)

    assert tags(made, IMAGE) == {"dev", "latest", "1-latest"}, "not even an alias without a version goes"
    assert {notice.answer for notice in notices.published if isinstance(notice, ViolationFound)} == {"notify"}
    assert outcome.plan.remarks == (
        f"1-latest, dev, latest of {IMAGE.digest} stays: ECR deletes an image with its last tag, and this one holds no "
        "other of its own",
    )


def test_a_signature_may_come_within_the_hour_and_is_missed_after_it() -> None:
    rules = replace(TAG_RULES, companions=CompanionRules(cosign_signature=True))
    made = world([IMAGE], {"1.4.2": IMAGE})

    early = enforce(made, IMAGE, rules, age=timedelta(minutes=59))
    late = enforce(made, IMAGE, rules, age=timedelta(minutes=60))

    assert early.plan.violations == ()
    assert [violation.image_tag for violation in late.plan.violations] == [None]
    assert tags(made, IMAGE) == {KEPT}


def test_a_signature_that_comes_late_is_heard_and_its_image_is_looked_at_again() -> None:
    """aws M12: the push of a signature names the signature, and the rule is about what it signs."""
    signature = manifest("signature", subject=IMAGE)
    made = world([IMAGE, signature], {"1.4.2": IMAGE})

    outcome = enforce(made, signature, LABELS)

    assert [violation.subject for violation in outcome.plan.violations] == [ImageRef(API, IMAGE.digest)]
    assert tags(made, IMAGE) == {KEPT}


def test_a_bad_tag_goes_and_the_event_is_tried_again_when_the_image_cannot_be_read_for_now() -> None:
    made = world([IMAGE], {"latest": IMAGE})
    made.registry.calls.fail_before("labels", ThrottledError("slow down"))

    outcome = enforce(made, IMAGE, LABELS)

    assert tags(made, IMAGE) == {KEPT}
    assert isinstance(outcome.error, ThrottledError)


ARM, INTEL = manifest("arm", blobs=[config("arm")]), manifest("intel", blobs=[config("intel")])
INDEX = manifest("index", children=[ARM, INTEL], annotations={"team": "a"})
STRICT = TagRules(
    allow=(Pattern(r"\d+\.\d+\.\d+"),),
    labels=(Requirement("team"),),
    annotations=(Requirement("team"),),
    companions=CompanionRules(cosign_signature=True),
    on_violation=OnViolation.QUARANTINE,
)


@pytest.mark.parametrize("order", list(itertools.permutations([ARM, INTEL, INDEX, ARM])))
@pytest.mark.parametrize("part_tags", [{}, {"1.4.2-arm64": ARM, "1.4.2-amd64": INTEL}], ids=["untagged", "tagged"])
def test_parts_are_no_violation_while_their_index_is_pushed_in_whatever_order_events_come(
    part_tags: dict[str, Manifest], order: tuple[Manifest, ...]
) -> None:
    """Each event comes when only what was pushed so far is there, or late, when all of it is."""
    for is_late in (False, True):
        made = world([ARM, INTEL], part_tags)
        for part in (ARM, INTEL):
            made.content.hold_labels(part.blobs[0].digest, {"team": "a"})
        for held in order:
            if is_late or held is INDEX:
                made.content.hold(API, INDEX)
                give(made, INDEX, "1.4.2")
            outcome = enforce(made, held, STRICT, age=timedelta(minutes=5))
            assert outcome.plan.violations == ()
            assert outcome.plan.is_empty


def test_a_part_is_a_violation_by_its_name_when_no_index_is_due_any_more() -> None:
    made = world([ARM], {"1.4.2-arm64": ARM})

    outcome = enforce(made, ARM, replace(STRICT, labels=(), annotations=(), companions=None), age=timedelta(hours=1))

    assert [violation.image_tag for violation in outcome.plan.violations] == ["1.4.2-arm64"]


def test_a_denied_part_is_a_violation_at_once() -> None:
    made = world([ARM], {"latest-arm64": ARM})

    outcome = enforce(made, ARM, replace(STRICT, deny=(Pattern("latest.*"),)), age=timedelta())

    assert [violation.image_tag for violation in outcome.plan.violations] == ["latest-arm64"]


def give(made: World, held: Manifest, image_tag: str) -> None:
    there = made.registry.images(API).images[held.digest]
    made.registry.restore(replace(there, image_tags=there.image_tags | {ImageTag(image_tag)}))
