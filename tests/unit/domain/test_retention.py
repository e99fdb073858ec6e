from dataclasses import replace

import pytest

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.contents import Contents
from ecr_steward.domain.images import Image
from ecr_steward.domain.plan import DeleteImage, Plan
from ecr_steward.domain.removals import plan_removals
from ecr_steward.domain.retention import Keeping, plan_retention
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Selection, Use
from ecr_steward.domain.rules import Mode
from ecr_steward.domain.usage import NOT_ASKED, Usage, UsedImage
from tests.given.contents import contents, digest, image, said
from tests.given.rules import API, Pattern, service_rule

ALL, UNTAGGED, RELEASES = Selection(), Selection(untagged=True), Selection(tags=(Pattern("v.*"),))
OLD = ExpireRule("expire all after 14d", after=14)
UNPULLED = ExpireRule("expire all not pulled for 90d", not_pulled_for=90)
NEWEST = ExpireRule("keep the newest 2", newest=2)
IN_USE = frozenset({Use.ECS})


def plan(
    house: Contents,
    *expires: ExpireRule,
    keeps: tuple[ProtectingKeep, ...] = (),
    usage: Usage = NOT_ASKED,
    **keeping: object,
) -> Plan:
    facts = Keeping(NOON, keeps, usage=usage, **keeping)  # type: ignore[arg-type]
    return plan_retention("services", RetentionRules(keeps, expires), house, facts)


def used(**by: object) -> UsedImage:
    return UsedImage(API, "the task definition api:7", **by)  # type: ignore[arg-type]


# ---------------------------------------------------------------- which images an entry claims


def test_an_image_goes_when_it_was_pushed_too_long_ago() -> None:
    found = plan(contents(image("old", "a", age=14.1), image("new", "b", age=14)), OLD)

    (step,) = found.steps
    assert isinstance(step, DeleteImage)
    assert step.image_tags == {"a"}
    assert (step.rule, step.why) == ("services", "'expire all after 14d': it was pushed on 2026-11-10")


def test_an_image_goes_when_nobody_has_pulled_it_for_so_long() -> None:
    house = contents(
        image("pulled", age=200, pulled=80), image("forgotten", age=200, pulled=91), image("never", age=91)
    )

    found = plan(house, UNPULLED)

    assert sorted(said(found, "pulled", "forgotten", "never")) == ["delete forgotten", "delete never"]
    assert {step.why for step in found.steps} == {
        "'expire all not pulled for 90d': it was last pulled on 2026-08-25",
        "'expire all not pulled for 90d': it was pushed on 2026-08-25 and never pulled",
    }


def test_an_index_was_pulled_when_what_it_lists_was_pulled() -> None:
    house = contents(image("index", "a", age=200), image("child", age=200, pulled=3), index=["child"])

    assert plan(house, UNPULLED).is_empty


def test_so_many_of_the_newest_stay_whoever_else_protects_one_of_them() -> None:
    house = contents(*(image(f"of day {age}", f"v{age}", age=age) for age in range(4)))

    found = plan(house, NEWEST, keeps=(ProtectingKeep("keep v0", Selection(tags=(Pattern("v0"),))),))

    assert sorted(said(found, "of day 2", "of day 3")) == ["delete of day 2", "delete of day 3"]
    assert found.steps[0].why in ("'keep the newest 2': 2 are newer", "'keep the newest 2': 3 are newer")


def test_what_was_pushed_just_now_neither_counts_nor_goes_since_its_index_may_be_on_its_way() -> None:
    minute = 1 / 24 / 60
    old = [image(f"v{age}", f"v{age}", age=age) for age in (1, 2)]
    parts = [image(f"part {n}", age=n * minute) for n in range(3)]

    assert plan(contents(*old, *parts), NEWEST).is_empty
    assert plan(contents(*parts), replace(NEWEST, selection=UNTAGGED)).is_empty


def test_what_nothing_listed_in_an_hour_is_an_image_of_its_own() -> None:
    parts = [image(f"part {n}", age=(1 + n) / 24) for n in range(3)]

    assert len(plan(contents(*parts), NEWEST).steps) == 1


def test_an_image_in_quarantine_goes_by_no_entry_that_names_no_image_tag() -> None:
    """It may have lost the tag by which a keep held it, a second ago and by a rule that was wrong."""
    quarantine = f"quarantine-{digest('bad').hex[:12]}"
    house = contents(image("bad", quarantine, age=400), image("good", "v1", age=400), image("not it", "quarantine-1"))
    named = replace(OLD, selection=Selection(tags=(Pattern("quarantine-.*"),)))

    assert said(plan(house, OLD), "good") == ["delete good"]
    assert said(plan(house, named), "bad") == ["delete bad"]


def test_a_quarantine_tag_beside_another_one_keeps_no_image() -> None:
    quarantine = f"quarantine-{digest('old').hex[:12]}"

    assert said(plan(contents(image("old", "a", quarantine, age=15)), OLD), "old") == ["delete old"]


def test_what_an_index_lists_does_not_count_among_the_newest() -> None:
    house = contents(
        image("index", "v1"),
        image("child"),
        image("other child"),
        image("old", "v0", age=9),
        index=["child", "other child"],
    )

    assert plan(house, NEWEST).is_empty


def test_only_the_first_entry_that_selects_an_image_decides_about_it() -> None:
    patient = ExpireRule("expire v* after 90d", RELEASES, after=90)
    house = contents(image("release", "v1", age=30), image("other", "x", age=30))

    found = plan(house, patient, replace(OLD, above=(RELEASES,)))

    assert said(found, "release", "other") == ["delete other"]


def test_an_image_stays_and_is_told_of_when_it_is_not_known_when_it_was_pushed() -> None:
    unknown = replace(image("unknown"), pushed_at=None)

    found = plan(contents(unknown, image("new")), OLD, NEWEST)

    assert found.is_empty
    assert found.remarks == (f"{digest('unknown')} would go, but stays: it is not known when it was pushed",)


# ---------------------------------------------------------------- what belongs to what


def test_an_index_goes_before_what_it_lists_and_what_refers_to_either() -> None:
    house = contents(
        image("index", "v1", age=20),
        image("child", age=20),
        image("of index", age=1, subject="index"),
        image("of child", age=1, subject="child"),
        image("cosign", f"sha256-{digest('index').hex}.sig", age=1),
        index=["child"],
    )

    lines = said(plan(house, OLD), "index", "child", "of index", "of child", "cosign")

    assert set(lines) == {f"delete {name}" for name in ("index", "child", "of index", "of child", "cosign")}
    assert lines[0] == "delete index"
    assert lines.index("delete child") < lines.index("delete of child")


def test_what_belongs_to_an_image_that_stays_stays_however_old_it_is() -> None:
    house = contents(
        image("index", "v1", age=1),
        image("child", age=20),
        image("of child", age=20, subject="child"),
        image("cosign", f"sha256-{digest('index').hex}.sig", age=20),
        index=["child"],
    )

    assert plan(house, OLD).is_empty


def test_a_child_of_two_indexes_stays_while_one_of_them_does() -> None:
    house = contents(
        image("one", "v1", age=20), image("two", "v2"), image("child", age=20), one=["child"], two=["child"]
    )

    assert said(plan(house, OLD), "one") == ["delete one"]


def test_a_child_with_an_image_tag_of_its_own_goes_only_when_an_entry_claims_it() -> None:
    drafts = ExpireRule("expire d* after 14d", Selection(tags=(Pattern("d.*"),)), after=14)
    house = contents(
        image("index", "d1", age=20), image("own", "v1", age=20), image("draft", "d2", age=20), index=["own", "draft"]
    )

    assert said(plan(house, drafts), "index", "draft") == ["delete index", "delete draft"]


def test_a_child_that_loses_its_index_is_one_of_the_newest_at_once() -> None:
    tagged = ExpireRule("keep the newest 1 of v*", RELEASES, newest=1)
    house = contents(
        image("new", "v3", age=1), image("index", "v2", age=2), image("child", "v1", age=3), index=["child"]
    )

    assert said(plan(house, tagged), "index", "child") == ["delete index", "delete child"]


def test_a_referrer_whose_subject_is_not_there_is_an_image_like_any_other() -> None:
    house = contents(image("lost", age=20, subject="nowhere"), image("fresh", age=1, subject="nowhere"))

    assert said(plan(house, OLD), "lost") == ["delete lost"]


def sig(name: str) -> str:
    return f"sha256-{digest(name).hex}.sig"


def test_images_that_carry_each_others_tag_go_when_their_time_has_come() -> None:
    """attacks L3: and with them what belongs to one of them alone."""
    house = contents(
        image("one", sig("three"), age=20),
        image("two", sig("one"), age=20),
        image("three", sig("two"), age=20),
        image("itself", sig("itself"), age=20),
        image("young", sig("signed"), age=1),
        image("signed", sig("young"), age=20),
        image("signature", f"sha256-{digest('one').hex}.att", age=1),
    )
    names = ("one", "two", "three", "itself", "signed", "signature")

    found = said(plan(house, OLD), *names)

    assert sorted(found) == sorted(f"delete {name}" for name in names)
    assert found.index("delete one") < found.index("delete signature")


def test_only_what_an_unreadable_index_may_own_stays_and_it_is_told() -> None:
    """attacks M6: the index itself, and untagged images that were pushed before it."""
    house = contents(
        image("index", "v1", age=20),
        image("tagged before", "v0", age=30),
        image("untagged before", age=21),
        image("untagged after", age=19),
    )

    found = plan(house, OLD, unreadable={digest("index"): "it cannot be read"})

    assert sorted(said(found, "tagged before", "untagged after")) == ["delete tagged before", "delete untagged after"]
    assert set(found.remarks) == {
        f"{digest('index')} would go, but stays: it cannot be read",
        f"{digest('untagged before')} would go, but stays: it may belong to the index {digest('index')}: "
        "it cannot be read",
    }


# ---------------------------------------------------------------- what keeps an image


def test_a_keep_wins_over_every_expire() -> None:
    house = contents(image("release", "v1", age=900), image("other", "x", age=900))

    found = plan(house, OLD, UNPULLED, keeps=(ProtectingKeep("keep v*", RELEASES),))

    assert said(found, "other") == ["delete other"]


def test_a_keep_of_what_is_pulled_wins_only_while_it_is_pulled() -> None:
    house = contents(image("pulled", age=90, pulled=30), image("forgotten", age=90, pulled=31), image("never", age=90))

    found = plan(house, OLD, keeps=(ProtectingKeep("keep", pulled_within=30),))

    assert sorted(said(found, "forgotten", "never")) == ["delete forgotten", "delete never"]


def test_an_image_with_a_protected_tag_stays() -> None:
    house = contents(image("golden", "golden", "x", age=90), image("other", "y", age=90))

    assert said(plan(house, OLD, protect=(Pattern("golden"),)), "other") == ["delete other"]


@pytest.mark.parametrize("by", [{"digest": digest("index")}, {"digest": digest("child")}, {"image_tag": "v1"}], ids=str)
def test_an_index_stays_when_it_or_what_it_lists_or_its_tag_is_in_use(by: dict[str, object]) -> None:
    house = contents(
        image("index", "v1", age=90), image("child", age=90), image("unused", "v0", age=90), index=["child"]
    )
    usage = Usage({Use.ECS: (used(**by),)})

    found = plan(house, OLD, keeps=(ProtectingKeep("keep in use", in_use=IN_USE),), usage=usage)

    assert said(found, "unused") == ["delete unused"]
    assert found.remarks == ()


def test_use_does_not_matter_where_no_keep_speaks_of_it() -> None:
    usage = Usage({Use.LAMBDA: (used(digest=digest("one")),)}, unread={Use.INSPECTOR: "nobody answered"})

    found = plan(contents(image("one", age=90)), OLD, keeps=(ProtectingKeep("keep", in_use=IN_USE),), usage=usage)

    assert said(found, "one") == ["delete one"]


def test_nothing_goes_that_may_be_in_use_when_nobody_could_be_asked() -> None:
    keep = ProtectingKeep("keep v* in use", RELEASES, in_use=IN_USE)
    house = contents(image("release", "v1", age=90), image("other", "x", age=90))

    found = plan(house, OLD, keeps=(keep,), usage=Usage(unread={Use.ECS: "ECS did not answer"}))

    assert said(found, "other") == ["delete other"]
    assert found.remarks == (f"{digest('release')} would go, but stays: it may be in use: ECS did not answer",)


def test_nothing_goes_that_inspector_counts_or_does_not_cover() -> None:
    names = ("counted", "unused", "uncovered")
    house = contents(*(image(name, name, age=90) for name in names))
    usage = Usage(counts={digest("counted"): 2, digest("unused"): 0})

    found = plan(house, OLD, keeps=(ProtectingKeep("keep", in_use=frozenset({Use.INSPECTOR})),), usage=usage)

    assert said(found, "unused") == ["delete unused"]
    assert found.remarks == (
        f"{digest('uncovered')} would go, but stays: it may be in use: Inspector does not cover it",
    )


def test_inspector_need_cover_of_an_index_only_what_runs() -> None:
    house = contents(
        image("index", "v1", age=90),
        image("child", age=90),
        image("attestation", age=90),
        index=["child", "attestation:unknown"],
    )
    keep = ProtectingKeep("keep", in_use=frozenset({Use.INSPECTOR}))

    found = plan(house, OLD, keeps=(keep,), usage=Usage(counts={digest("child"): 0}))

    assert said(found, "index", "child", "attestation")[0] == "delete index"
    assert len(found.steps) == 3


def test_a_signature_goes_with_its_subject_although_nobody_knows_whether_it_is_in_use() -> None:
    house = contents(image("one", "v1", age=90), image("sbom", age=90, subject="one"))
    keep = ProtectingKeep("keep", in_use=frozenset({Use.INSPECTOR}))

    found = plan(house, OLD, keeps=(keep,), usage=Usage(counts={digest("one"): 0}))

    assert said(found, "one", "sbom") == ["delete one", "delete sbom"]


def test_a_referrer_stays_without_its_subject_when_a_keep_names_its_tag() -> None:
    house = contents(
        image("one", "draft", age=90),
        image("sbom", "v1.sbom", age=90, subject="one"),
        image("other", age=90, subject="one"),
    )

    found = plan(house, OLD, keeps=(ProtectingKeep("keep v*", RELEASES), ProtectingKeep("keep", pulled_within=1)))

    assert said(found, "one", "other") == ["delete one", "delete other"]


# ---------------------------------------------------------------- several rules


def deleting(*names: str) -> object:
    def planner(house: Contents) -> Plan:
        there: list[Image] = [
            house.images.images[digest(name)] for name in names if digest(name) in house.images.digests
        ]
        return Plan(tuple(DeleteImage(rule="r", why="w", image=one.ref) for one in there), remarks=("said",))

    return planner


def test_a_rule_plans_again_for_what_the_other_leaves() -> None:
    def second(house: Contents) -> Plan:
        is_due = digest("a") not in house.images.digests
        return deleting("b")(house) if is_due else Plan()  # type: ignore[operator]

    house = contents(image("a"), image("b"))
    planners = [(service_rule(name="second"), second), (service_rule(name="first"), deleting("a"))]

    plans = plan_removals(planners, house)  # type: ignore[arg-type]

    assert [(rule.name, said(plan, "a", "b")) for rule, plan in plans] == [
        ("first", ["delete a"]),
        ("second", ["delete b"]),
        ("second", []),
        ("first", []),
    ]


def test_nothing_is_due_to_what_a_rule_would_only_do() -> None:
    house = contents(image("a"), image("b"))
    planners = [
        (service_rule(name="observing", mode=Mode.OBSERVE), deleting("a")),
        (
            service_rule(name="enforcing"),
            lambda left: deleting("b")(left) if digest("a") not in left.images.digests else Plan(),
        ),  # type: ignore[operator]
    ]

    plans = plan_removals(planners, house)  # type: ignore[arg-type]

    assert [(rule.name, said(plan, "a")) for rule, plan in plans] == [("observing", ["delete a"])]
