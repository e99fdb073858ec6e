"""What a brake lets through: never more than it says, and always enough for a small repository to work."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.brake import (
    ANSWERED_WITHIN,
    FREE_IMAGES,
    USUAL,
    Brake,
    Load,
    Spent,
    Weight,
    is_destructive,
    loads,
)
from ecr_steward.domain.images import Image, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import (
    AddImageTag,
    DeleteImage,
    DeleteRepositoryPolicy,
    PutScanOnPush,
    RemoveImageTag,
    SetRepositoryPolicy,
)
from ecr_steward.domain.policies.openings import Opening
from ecr_steward.domain.registries import (
    CreationTemplate,
    PutCreationTemplate,
    PutRegistryPolicy,
    PutReplicationConfiguration,
)
from tests.given.rules import API, HOME, rulebook

brakes = st.builds(Brake, st.integers(0, 100), st.integers(0, 100))
counts = st.integers(0, 200)
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def digest(number):
    return Digest(f"sha256:{number:064x}")


def image(number):
    return ImageRef(API, digest(number))


def removal(number, image_tag="latest", rule="services"):
    return RemoveImageTag(rule=rule, why="w", image=image(number), image_tag=ImageTag(image_tag))


def deletion(number):
    return DeleteImage(rule="services", why="w", image=image(number))


def repository(tagged, untagged=0):
    """Images 0 to ``tagged`` - 1 hold a tag, the next ones none."""
    images = [
        Image(image(number), frozenset([ImageTag(f"t{number}")] if number < tagged else []))
        for number in range(tagged + untagged)
    ]
    return RepositoryImages.of(API, images)


@pytest.mark.parametrize(
    "step",
    [
        removal(1),
        deletion(1),
        DeleteRepositoryPolicy(rule="r", why="w", repository=API),
        SetRepositoryPolicy(rule="r", why="w", repository=API, document={}, takes_away=True),
        PutRegistryPolicy(rule="r", why="w", registry=HOME, document={}, takes_away=True),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_counts_when_it_takes_something_away(step):
    assert is_destructive(step)
    assert loads([step], API, None, NOON)[step.rule].weight.removals == 1


@pytest.mark.parametrize(
    "step",
    [
        AddImageTag(rule="r", why="w", image=image(1), image_tag=ImageTag("1-latest"), previous=digest(2)),
        SetRepositoryPolicy(rule="r", why="w", repository=API, document={}),
        PutRegistryPolicy(rule="r", why="w", registry=HOME, document={}),
        PutScanOnPush(rule="r", why="w", repository=API, scan_on_push=True),
    ],
    ids=lambda step: type(step).__name__,
)
def test_a_step_does_not_count_when_it_takes_nothing_away(step):
    assert not is_destructive(step)
    assert loads([step], API, None, NOON) == {}


def test_images_count_once_and_tags_each_when_an_image_loses_several():
    load = loads([removal(0, "a"), removal(0, "b"), deletion(3)], API, repository(tagged=3, untagged=5), NOON)[
        "services"
    ]

    assert load == Load(Weight(removals=3, images=2, tagged=1), str(API), images_there=8, tagged_there=3)


@pytest.mark.parametrize(("age", "counted"), [(ANSWERED_WITHIN, 0), (ANSWERED_WITHIN + timedelta(seconds=1), 2)])
def test_what_answers_a_push_is_not_counted(age, counted):
    """H4: a pusher brought the brake to hold with tags that the rule forbids."""
    new = Image(image(0), frozenset(map(ImageTag, ("a", "b"))), pushed_at=NOON - age)
    there = RepositoryImages.of(API, [new])

    answered = loads([removal(0, "a"), removal(0, "b")], API, there, NOON)
    deleted = loads([deletion(0)], API, there, NOON)

    assert sum(load.weight.removals for load in answered.values()) == counted
    assert deleted["services"].weight.removals == 1


def test_each_rule_is_weighed_by_itself_when_a_plan_is_of_several():
    found = loads([removal(0), removal(1, rule="other"), removal(2, rule="other")], API, repository(4), NOON)

    assert {rule: load.weight.removals for rule, load in found.items()} == {"services": 1, "other": 2}


@given(brakes, counts, counts)
def test_more_images_never_mean_that_fewer_may_go(brake, there, more):
    assert brake.images_of(there) <= brake.images_of(there + more)


@given(brakes, counts)
def test_a_small_repository_can_work_whatever_the_share(brake, there):
    assert brake.images_of(there) >= FREE_IMAGES
    assert brake.images_of(there) <= max(FREE_IMAGES, there)


@given(brakes, st.integers(0, 12), st.integers(0, 12), st.data())
def test_nothing_passes_a_brake_that_is_above_one_of_its_limits(brake, tagged, untagged, data):
    there = repository(tagged, untagged)
    numbers = st.sets(st.integers(0, max(0, tagged + untagged - 1)), max_size=tagged + untagged)
    load = loads(map(deletion, sorted(data.draw(numbers))), API, there, NOON).get("services", Load(Weight(0), ""))
    spent = data.draw(st.builds(Weight, counts, counts, counts))

    together = Weight(
        load.weight.removals + spent.removals, load.weight.images + spent.images, load.weight.tagged + spent.tagged
    )

    is_within = together.removals <= brake.removals and (
        not load.weight.images
        or (
            together.images <= brake.images_of(tagged + untagged)
            and (not load.weight.tagged or together.tagged <= brake.images_of(tagged))
        )
    )
    assert (load.excess(brake, Spent(spent)) is None) == is_within


@given(brakes, counts, counts, counts)
def test_what_counts_among_all_is_the_same_at_once_and_in_parts(brake, before, first, second):
    in_parts = brake.counted(first, before) + brake.counted(second, before + first)

    assert in_parts == brake.counted(first + second, before) <= brake.counted_at_most
    assert (brake.counted(first) == 0) == (first == 0)


@given(counts, st.integers(0, 100))
def test_a_whole_share_holds_nothing_back_by_share(there, before):
    load = Load(Weight(1, 1, 1), str(API), there, there)
    spent = Weight(1, min(before, max(0, there - 1)), min(before, max(0, there - 1)))

    assert load.excess(Brake(10_000, 100), Spent(spent)) is None


def test_all_untagged_images_may_go_by_number_where_tagged_ones_would_be_held():
    there = repository(tagged=8, untagged=92)

    untagged = loads(map(deletion, range(8, 33)), API, there, NOON)["services"]
    tagged = loads(map(deletion, range(6)), API, there, NOON)["services"]

    assert untagged.excess(USUAL, Spent()) is None
    assert tagged.excess(USUAL, Spent()).why == "6 tagged images of 8, more than the 25% of its brake"


def test_a_rule_is_held_by_its_own_brake_and_an_unknown_one_by_the_usual_brake():
    rules = rulebook(brake=Brake(3, 10))
    named = rules.rules[0].name

    assert rules.brake_of(named) == Brake(3, 10)
    assert rules.brake_of("nobody") == USUAL == Brake(50, 25)
    assert replace(rules, defaults=replace(rules.rules[0], name="defaults")).brake_of("defaults") == Brake(3, 10)


PUBLIC = frozenset({Opening("everybody", is_public=True)})


def opening(opens=PUBLIC):
    return SetRepositoryPolicy(rule="services", why="w", repository=API, document={}, opens=opens)


def replication(*prefixes, previous=None, deletes=True):
    rule = {
        "destinations": [{"registryId": "222233334444", "region": "us-east-1"}],
        "repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes],
        "deleteReplication": {"enabled": deletes},
    }
    return PutReplicationConfiguration(
        rule="services", why="w", registry=HOME, document={"rules": [rule]}, takes_away=True, previous=previous
    )


@pytest.mark.parametrize(("tagged", "counted"), [(0, 1), (1, FREE_IMAGES), (FREE_IMAGES, FREE_IMAGES), (12, 12)])
def test_a_repository_that_is_opened_to_everybody_counts_as_its_tagged_images(tagged, counted):
    there = repository(tagged, untagged=3)

    assert loads([opening()], API, there, NOON)["services"].weight.removals == counted
    assert loads([opening(frozenset({Opening("222233334444")}))], API, there, NOON)["services"].weight.removals == 1


@given(brakes, st.integers(0, 60))
def test_what_is_opened_to_everybody_never_passes_a_share(brake, tagged):
    load = loads([opening()], API, repository(tagged), NOON)["services"]

    assert (load.by_itself(brake) is None) == (tagged <= brake.images_of(tagged))
    assert load.by_itself(brake) is None or load.excess(brake, Spent()) is not None


@pytest.mark.parametrize(
    "step",
    [
        PutRegistryPolicy(rule="r", why="w", registry=HOME, document={}, opens=PUBLIC),
        PutCreationTemplate(
            rule="r",
            why="w",
            registry=HOME,
            template=CreationTemplate("ROOT", frozenset({"REPLICATION"})),
            is_new=True,
            opens=PUBLIC,
        ),
    ],
    ids=lambda step: type(step).__name__,
)
def test_what_opens_a_whole_registry_to_everybody_waits_for_a_person(step):
    load = loads([step], HOME, None, NOON)["r"]

    assert load.excess(Brake(10_000, 100), Spent()).why == f"everybody is let in: {step}, which waits for a person"


def test_replication_with_deletes_counts_each_repository_whose_replica_may_lose_images():
    names = [f"prod/{number}" for number in range(60)] + ["test/api"]

    def weight(step):
        return loads([step], HOME, None, NOON, names=names)["services"].weight.removals

    assert weight(replication("test/")) == 1
    assert weight(replication("prod/")) == 60
    assert weight(replication()) == len(names)
    assert weight(replication("prod/", "test/", previous=replication("prod/").document)) == 1
    assert weight(replication("prod/", previous=replication("prod/", deletes=False).document)) == 60
