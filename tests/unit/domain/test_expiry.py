from dataclasses import replace
from datetime import datetime, timedelta

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.contents import Contents
from ecr_steward.domain.expiry import plan_tag_expiry
from ecr_steward.domain.names import ImageTag
from ecr_steward.domain.plan import DeleteImage, Plan, RemoveImageTag
from ecr_steward.domain.retention import Keeping
from ecr_steward.domain.retention_rules import ProtectingKeep, Selection, Use
from ecr_steward.domain.sightings import REMEMBERED, Sighting, renew
from ecr_steward.domain.tag_rules import TagExpiry, TagRules
from ecr_steward.domain.usage import NOT_ASKED, Usage, UsedImage
from tests.given.contents import contents, digest, image, said
from tests.given.rules import API, TAG_RULES, Pattern

PRS = TagExpiry((Pattern("pr-.*"),), 14)
RULES = TagRules(expire=(PRS,))


def days_ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def plan(house: Contents, rules: TagRules = RULES, *, age: float = 15, **keeping: object) -> Plan:
    """What expires when every image tag has been where it is for so many days."""
    sighted = {tag: Sighting.at(holder, days_ago(age)) for tag, holder in house.images.holders.items()}
    return plan_tag_expiry("services", rules, house, sighted, Keeping(NOON, protect=rules.protect, **keeping))  # type: ignore[arg-type]


# ---------------------------------------------------------------- tags that go, images that stay


def test_a_tag_goes_and_its_image_stays_when_that_holds_another_tag() -> None:
    found = plan(contents(image("one", "pr-1", "pr-2", "main")))

    assert said(found, "one") == ["remove pr-1 from one", "remove pr-2 from one"]
    (first, _) = found.steps
    assert isinstance(first, RemoveImageTag)
    assert (first.rule, first.why) == (
        "services",
        "expire pr-.* after 14 days: pr-1 has been where it is since 2026-11-09",
    )


def test_an_image_goes_when_its_only_tags_expire_since_ecr_would_delete_it_with_the_last() -> None:
    found = plan(contents(image("one", "pr-1", "pr-2")))

    assert said(found, "one") == ["delete one"]
    (step,) = found.steps
    assert isinstance(step, DeleteImage)
    assert step.image_tags == {"pr-1", "pr-2"}


def test_an_image_stays_for_a_tag_that_expires_later() -> None:
    house = contents(image("one", "pr-1", "pr-2"))
    ages = {ImageTag("pr-1"): 15, ImageTag("pr-2"): 13}
    sighted = {tag: Sighting.at(digest("one"), days_ago(age)) for tag, age in ages.items()}

    found = plan_tag_expiry("services", RULES, house, sighted, Keeping(NOON))

    assert said(found, "one") == ["remove pr-1 from one"]


def test_nothing_goes_on_the_last_day() -> None:
    assert plan(contents(image("one", "pr-1")), age=14).is_empty


def test_a_quarantine_tag_keeps_no_image() -> None:
    quarantine = f"quarantine-{digest('one').hex[:12]}"

    assert said(plan(contents(image("one", "pr-1", quarantine))), "one") == ["delete one"]


def test_the_first_expiry_that_speaks_of_a_tag_decides() -> None:
    patient = TagExpiry((Pattern("pr-9"),), 90)

    found = plan(contents(image("one", "pr-9"), image("two", "pr-1")), TagRules(expire=(patient, PRS)))

    assert said(found, "two") == ["delete two"]


def test_a_tag_stays_when_it_was_seen_elsewhere_or_never() -> None:
    house = contents(image("one", "pr-1"), image("two", "pr-2"))
    sighted = {ImageTag("pr-1"): Sighting.at(digest("two"), days_ago(99))}

    assert plan_tag_expiry("services", RULES, house, sighted, Keeping(NOON)) == Plan()


def test_an_index_goes_with_what_it_lists_when_its_tag_expires() -> None:
    house = contents(
        image("index", "pr-1"),
        image("child"),
        image("tagged", "pr-1-arm64"),
        image("sbom", subject="index"),
        index=["child", "tagged"],
    )

    lines = said(plan(house), "index", "child", "tagged", "sbom")

    assert lines[0] == "delete index"
    assert set(lines[1:]) == {"delete child", "delete tagged", "delete sbom"}


def test_an_image_stays_with_its_only_tag_and_it_is_told_when_an_index_lists_it() -> None:
    house = contents(image("index", "main"), image("child", "pr-1"), index=["child"])

    found = plan(house)

    assert found.is_empty
    assert found.remarks == (
        f"{digest('child')} keeps pr-1: ECR would delete it with its last tag, and it stays since it belongs to "
        f"{digest('index')}",
    )


def test_a_tag_that_only_a_circle_attaches_expires_like_any_other() -> None:
    """attacks L3."""
    names = {"one": "two", "two": "one", "itself": "itself"}
    house = contents(*(image(name, f"sha256-{digest(other).hex}.sig") for name, other in names.items()))

    found = said(plan(house, TagRules(expire=(TagExpiry((Pattern("sha256-.*"),), 14),))), *names)

    assert sorted(found) == ["delete itself", "delete one", "delete two"]


def test_tags_of_cosign_and_of_referrers_are_exempt() -> None:
    everything = TagRules(expire=(TagExpiry((Pattern(".*"),), 14),))
    house = contents(
        image("one", "main"),
        image("cosign", f"sha256-{digest('one').hex}.sig"),
        image("sbom", "pr-7", subject="one"),
    )
    kept = ProtectingKeep("keep main", Selection(tags=(Pattern("main"),)))

    assert plan(house, everything, keeps=(kept,)).is_empty


def test_an_image_that_can_run_expires_whatever_it_claims_to_belong_to() -> None:
    everything = TagRules(expire=(TagExpiry((Pattern("(sha256|pr)-.*"),), 14),))
    attached = image("attached", f"sha256-{digest('one').hex}.sig")
    referring = image("referring", "pr-7", subject="one")

    found = plan(
        contents(image("one", "main"), *(replace(each, can_run=True) for each in (attached, referring))), everything
    )

    assert sorted(said(found, "one", "attached", "referring")) == ["delete attached", "delete referring"]


def test_an_alias_is_exempt_as_long_as_a_version_stands_behind_it() -> None:
    everything = replace(TAG_RULES, expire=(TagExpiry((Pattern(".*-latest"),), 14),))

    found = plan(contents(image("one", "1.4.2", "1-latest", "1.4-latest", "9-latest")), everything)

    assert said(found, "one") == ["remove 9-latest from one"]


# ---------------------------------------------------------------- tags that stay


def test_a_protected_tag_never_expires() -> None:
    rules = TagRules(protect=(Pattern("pr-1"),), expire=(PRS,))

    found = plan(contents(image("one", "pr-1", "pr-2"), image("two", "pr-3")), rules)

    assert sorted(said(found, "one", "two")) == ["delete two", "remove pr-2 from one"]


def test_an_image_that_a_keep_holds_stays_with_its_only_tag() -> None:
    keep = ProtectingKeep("keep what is pulled", pulled_within=30)

    found = plan(contents(image("one", "pr-1", pulled=3), image("two", "pr-2", "main", pulled=3)), keeps=(keep,))

    assert said(found, "two") == ["remove pr-2 from two"]
    assert found.remarks == (
        f"{digest('one')} keeps pr-1: ECR would delete it with its last tag, and it stays since 'keep what is pulled' "
        "keeps it",
    )


def test_a_tag_stays_by_which_a_keep_selects_its_image() -> None:
    keep = ProtectingKeep("keep pr-1", Selection(tags=(Pattern("pr-1"),)))

    assert said(plan(contents(image("one", "pr-1", "pr-2", "main")), keeps=(keep,)), "one") == ["remove pr-2 from one"]


def test_a_tag_that_a_task_definition_names_stays_and_others_of_the_image_go() -> None:
    keep = ProtectingKeep("keep in use", in_use=frozenset({Use.ECS}))
    usage = Usage({Use.ECS: (UsedImage(API, "the task definition api:7", image_tag=ImageTag("pr-1")),)})

    found = plan(contents(image("one", "pr-1", "pr-2"), image("two", "pr-3")), keeps=(keep,), usage=usage)

    assert sorted(said(found, "one", "two")) == ["delete two", "remove pr-2 from one"]


def test_no_tag_goes_of_an_image_that_containers_run_since_nobody_knows_by_which_they_pull() -> None:
    keep = ProtectingKeep("keep in use", in_use=frozenset({Use.INSPECTOR}))
    usage = Usage(counts={digest("one"): 1, digest("two"): 0})

    found = plan(contents(image("one", "pr-1", "main"), image("two", "pr-2", "v2")), keeps=(keep,), usage=usage)

    assert said(found, "two") == ["remove pr-2 from two"]


def test_no_tag_goes_that_may_be_in_use_when_nobody_could_be_asked() -> None:
    keep = ProtectingKeep("keep in use", in_use=frozenset({Use.ECS}))

    found = plan(
        contents(image("one", "pr-1", "main")), keeps=(keep,), usage=Usage(unread={Use.ECS: "ECS did not answer"})
    )

    assert found.is_empty
    assert found.remarks == (
        f"image tag pr-1 of {digest('one')} would go, but stays: it may be in use: ECS did not answer",
    )


def test_use_is_left_out_of_account_as_long_as_nobody_was_asked() -> None:
    keep = ProtectingKeep("keep in use", in_use=frozenset({Use.ECS}))

    assert said(plan(contents(image("one", "pr-1")), keeps=(keep,), usage=NOT_ASKED, asks=False), "one") == [
        "delete one"
    ]


# ---------------------------------------------------------------- sightings


def test_the_clock_of_a_tag_starts_when_it_is_first_seen() -> None:
    renewal = renew({}, RULES, contents(image("one", "pr-1", "main", age=99)).images, NOON)

    assert renewal.sighted == renewal.written == {"pr-1": Sighting.at(digest("one"), NOON)}


def test_the_clock_of_a_tag_starts_anew_when_it_has_moved() -> None:
    before = {ImageTag("pr-1"): Sighting.at(digest("other"), days_ago(13))}

    renewal = renew(before, RULES, contents(image("one", "pr-1")).images, NOON)

    assert renewal.written == {"pr-1": Sighting.at(digest("one"), NOON)}


def test_the_clock_of_a_tag_goes_on_where_it_is_still_and_nothing_is_written() -> None:
    before = {ImageTag("pr-1"): Sighting.at(digest("one"), days_ago(13))}

    renewal = renew(before, RULES, contents(image("one", "pr-1")).images, NOON)

    assert (renewal.sighted, renewal.written, renewal.gone) == (before, {}, frozenset())


def test_a_sighting_is_kept_longer_before_it_is_forgotten() -> None:
    before = {ImageTag("pr-1"): Sighting.at(digest("one"), days_ago(31))}

    renewal = renew(before, RULES, contents(image("one", "pr-1")).images, NOON)

    assert renewal.written == before
    assert renewal.written[ImageTag("pr-1")].kept_until == NOON + REMEMBERED


def test_a_sighting_goes_with_its_tag_and_with_the_expiry_that_spoke_of_it() -> None:
    before = {ImageTag(tag): Sighting.at(digest("one"), days_ago(1)) for tag in ("pr-1", "pr-2", "main")}

    renewal = renew(before, RULES, contents(image("one", "pr-1", "main")).images, NOON)

    assert renewal.gone == {"pr-2", "main"}
