from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ecr_steward.adapters.memory import InMemoryNotices
from ecr_steward.adapters.memory.clock import NOON, noon
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import ImageRef, ImageTag
from ecr_steward.domain.notices import ViolationFound
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.rules import Mode
from ecr_steward.domain.tag_rules import OnViolation
from ecr_steward.errors import LastImageTagError, ThrottledError
from ecr_steward.usecases.describing import Describer
from ecr_steward.usecases.enforce_image_tags import enforce_image_tags
from tests.given.appliers import applier_of
from tests.given.rules import API, TAG_RULES, rulebook
from tests.given.worlds import World, config, manifest, sbom_of, world

OLD, NEW, OTHER = manifest("old"), manifest("new"), manifest("other")


def enforce(
    world: World,
    held: Manifest,
    notices: InMemoryNotices | None = None,
    now: Callable[[], datetime] = noon,
    **changes: object,
) -> Outcome:
    image = ImageRef(API, held.digest)
    return enforce_image_tags(
        image,
        rules=rulebook(**changes),
        registry=world.registry,
        describer=Describer(world.registry, world.content, now),
        notices=notices or InMemoryNotices(),
        applier=applier_of(world.registry),
    )


def tags(world: World, held: Manifest) -> set[str]:
    return set(world.registry.tags_of(ImageRef(API, held.digest)))


def test_aliases_are_added_when_a_version_is_pushed() -> None:
    registry = world([OLD], {"1.4.2": OLD})

    outcome = enforce(registry, OLD)

    assert tags(registry, OLD) == {"1.4.2", "1.4-latest", "1-latest"}
    assert [step.why for step in outcome.plan.steps] == [
        "1.4.2 is the highest version that 1-latest stands for",
        "1.4.2 is the highest version that 1.4-latest stands for",
    ]


def test_the_signature_of_an_archived_image_is_no_violation() -> None:
    signature = f"sha256-{OLD.digest.hex}.sig"
    registry = world([OLD, OTHER], {"1.4.2": OLD, signature: OTHER})
    registry.registry.archive(ImageRef(API, OLD.digest))

    outcome = enforce(registry, OTHER)

    assert outcome.plan == Plan()
    assert tags(registry, OTHER) == {signature}


def test_aliases_move_and_the_old_version_stays_when_a_higher_version_is_pushed() -> None:
    registry = world([OLD, NEW], {"1.4.2": OLD, "1.4-latest": OLD, "1-latest": OLD, "1.4.10": NEW})

    enforce(registry, NEW)

    assert tags(registry, OLD) == {"1.4.2"}
    assert tags(registry, NEW) == {"1.4.10", "1.4-latest", "1-latest"}


def test_aliases_stay_when_the_event_of_an_older_version_arrives_late() -> None:
    registry = world([OLD, NEW], {"1.4.2": OLD, "1.4.3": NEW, "1.4-latest": NEW, "1-latest": NEW})

    outcome = enforce(registry, OLD)

    assert outcome.plan.is_empty
    assert tags(registry, NEW) == {"1.4.3", "1.4-latest", "1-latest"}


def test_alias_comes_back_to_the_newest_image_when_the_event_of_an_older_one_is_repeated() -> None:
    registry = world([OLD, NEW], {"1.4.2": OLD, "1.4.3": NEW, "1-latest": NEW})

    enforce(registry, OLD)

    assert tags(registry, NEW) == {"1.4.3", "1.4-latest", "1-latest"}


def test_no_alias_follows_a_prerelease() -> None:
    registry = world([OLD], {"2.0.0-rc.1": OLD})

    assert enforce(registry, OLD).plan.is_empty


def test_violating_image_is_quarantined_when_it_holds_no_other_tag() -> None:
    registry, notices = world([OLD], {"latest": OLD}), InMemoryNotices()
    kept = f"quarantine-{OLD.digest.hex[:12]}"

    enforce(registry, OLD, notices)

    assert tags(registry, OLD) == {kept}
    assert notices.published == [
        ViolationFound(
            rule="services",
            why="image tag 'latest' is denied by 'latest'",
            subject=ImageRef(API, OLD.digest),
            image_tag=ImageTag("latest"),
            answer="quarantine",
            quarantine_tag=ImageTag(kept),
        )
    ]


def test_notice_is_the_same_when_another_invocation_is_halfway_through_the_quarantine() -> None:
    before, halfway = InMemoryNotices(), InMemoryNotices()
    enforce(world([OLD], {"latest": OLD}), OLD, before)

    enforce(world([OLD], {"latest": OLD, f"quarantine-{OLD.digest.hex[:12]}": OLD}), OLD, halfway)

    assert halfway.published == before.published


def test_only_the_violating_tag_goes_when_the_image_holds_an_allowed_one_too() -> None:
    registry = world([OLD], {"latest": OLD, "1.4.2": OLD})

    enforce(registry, OLD)

    assert tags(registry, OLD) == {"1.4.2", "1.4-latest", "1-latest"}


def test_violation_is_told_and_nothing_changes_when_the_rule_only_notifies() -> None:
    registry, notices = world([OLD], {"dev": OLD}), InMemoryNotices()

    enforce(registry, OLD, notices, image_tags=replace(TAG_RULES, on_violation=OnViolation.NOTIFY))

    assert tags(registry, OLD) == {"dev"}
    assert [notice.answer for notice in notices.published if isinstance(notice, ViolationFound)] == ["notify"]


def test_plan_is_reported_and_nothing_changes_when_the_rule_only_observes() -> None:
    registry, notices = world([OLD], {"latest": OLD}), InMemoryNotices()

    outcome = enforce(registry, OLD, notices, mode=Mode.OBSERVE)

    assert not outcome.applied
    assert [str(step).split(" from ")[0] for step in outcome.plan.steps][-1] == "remove image tag latest"
    assert registry.registry.calls.changes == []
    assert [notice.answer for notice in notices.published if isinstance(notice, ViolationFound)] == ["observe"]


def test_nothing_is_done_when_the_push_had_no_tag() -> None:
    outcome = enforce(world([OLD], {}), OLD)

    assert outcome.plan.is_empty
    assert outcome.remark == "the image holds no image tag"


def test_nothing_is_done_when_the_image_is_gone() -> None:
    assert enforce(world([OLD], {"1.4.2": OLD}), OTHER).remark == "the image is gone"


def test_nothing_is_done_when_the_repository_is_gone() -> None:
    registry = world([OLD], {}, repository=replace(API, name="team-a/other"))

    assert enforce(registry, OLD).remark == "the repository is gone"


def test_nothing_is_done_when_no_rule_covers_the_repository() -> None:
    registry = world([OLD], {"latest": OLD}, repository=replace(API, name="vendor/tool"))
    image = ImageRef(replace(API, name="vendor/tool"), OLD.digest)

    outcome = enforce_image_tags(
        image,
        rules=rulebook(),
        registry=registry.registry,
        describer=Describer(registry.registry, registry.content, noon),
        notices=InMemoryNotices(),
        applier=applier_of(registry.registry),
    )

    assert outcome.rule is None
    assert registry.registry.calls.entries == []


@pytest.mark.parametrize(
    "pushed",
    [
        pytest.param(manifest("evil", subject=OLD, blobs=[config("evil")]), id="an image"),
        pytest.param(manifest("evil", subject=manifest("not there"), blobs=[config("evil")]), id="of nothing"),
        pytest.param(manifest("evil", subject=OLD, children=[OLD]), id="an index"),
        pytest.param(sbom_of(OLD), id="an SBOM"),
    ],
)
def test_a_tag_is_judged_whatever_its_image_refers_to(pushed: Manifest) -> None:
    """H1: the pusher controls the subject."""
    registry = world([OLD, pushed], {"latest": pushed})

    outcome = enforce(registry, pushed)

    assert [violation.image_tag for violation in outcome.plan.violations] == ["latest"]
    assert tags(registry, pushed) == {f"quarantine-{pushed.digest.hex[:12]}"}


def test_a_forbidden_tag_goes_when_other_images_hold_every_quarantine_tag_of_its_digits() -> None:
    """H5: the pusher knows the digest in advance."""
    evil, decoy = manifest("evil", blobs=[config("evil")]), manifest("decoy", subject=OLD, blobs=[config("decoy")])
    squatted = {f"quarantine-{evil.digest.hex[:digits]}": decoy for digits in range(12, 65)}
    registry = world([evil, decoy], {"latest": evil, **squatted})

    enforce(registry, evil)
    assert tags(registry, evil) == {f"quarantine-{evil.digest.hex}-2"}

    outcome = enforce(registry, decoy)
    assert {violation.image_tag for violation in outcome.plan.violations} == squatted.keys()
    assert tags(registry, decoy) == {f"quarantine-{decoy.digest.hex[:12]}"}
    assert enforce(registry, evil).plan.is_empty


def test_an_alias_without_a_version_is_judged_an_hour_after_its_push() -> None:
    """M15: an alias needs a version behind it."""
    evil = manifest("evil", blobs=[config("evil")])
    registry = world([OLD, evil], {"1.4.2": OLD, "1.4-latest": OLD, "1-latest": OLD, "99-latest": evil})

    assert enforce(registry, evil).plan.is_empty, "its version may be on its way"

    outcome = enforce(registry, evil, now=lambda: NOON + timedelta(hours=1))

    assert [violation.image_tag for violation in outcome.plan.violations] == ["99-latest"]
    assert tags(registry, OLD) == {"1.4.2", "1.4-latest", "1-latest"}


def test_image_that_holds_an_alias_besides_is_quarantined_since_the_alias_may_move_at_any_moment() -> None:
    registry = world([OLD], {"latest": OLD, "1-latest": OLD})

    enforce(registry, OLD)

    assert tags(registry, OLD) == {f"quarantine-{OLD.digest.hex[:12]}", "1-latest"}


def test_event_is_tried_again_when_the_image_lost_its_other_tag_meanwhile() -> None:
    registry = world([OLD], {"latest": OLD, "1.4.2": OLD})
    image = ImageRef(API, OLD.digest)
    take = registry.registry.remove_image_tag

    def take_while_somebody_deletes_the_version(image: ImageRef, image_tag: ImageTag) -> None:
        registry.registry.take_tag(image, ImageTag("1.4.2"))
        take(image, image_tag)

    registry.registry.remove_image_tag = take_while_somebody_deletes_the_version  # type: ignore[method-assign]

    with pytest.raises(LastImageTagError):
        enforce(registry, OLD)

    assert registry.registry.holds(image)


def test_violation_is_told_by_the_retry_when_the_bus_failed() -> None:
    registry, notices = world([OLD], {"latest": OLD}), InMemoryNotices()
    notices.calls.fail_before("publish", ThrottledError("slow down"))

    with pytest.raises(ThrottledError):
        enforce(registry, OLD, notices)
    enforce(registry, OLD, notices)

    assert len(notices.published) == 1


def test_tag_that_only_looks_like_a_signature_is_judged_as_any_other() -> None:
    registry = world([OLD], {f"sha256-{'a' * 64}.sig": OLD})

    assert enforce(registry, OLD).plan.violations != ()
