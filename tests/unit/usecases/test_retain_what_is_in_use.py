"""What stays since somebody uses it, or since nobody can say."""

from dataclasses import replace

import pytest

from ecr_steward.domain.names import ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.usage import UsedImage
from ecr_steward.errors import AccessDeniedError, RegistryUnavailableError, ThrottledError
from ecr_steward.usecases.retain_images import plan_repository_retention
from tests.given.contents import digest, image
from tests.given.rules import API
from tests.unit.usecases.retaining import UNLESS_IN_USE, House


@pytest.mark.parametrize("source", ["ecs", "functions"])
def test_what_a_workload_of_this_repository_runs_stays(source: str) -> None:
    house = House(image("used", "v0", age=31), image("other", "v1", age=31), retention=UNLESS_IN_USE)
    house.workloads.cover(API, [digest("used"), digest("other")])
    elsewhere = RepositoryRef(API.registry, "team-b/api")
    getattr(house.workloads, source).extend(
        [UsedImage(API, "api:7", image_tag=ImageTag("v0")), UsedImage(elsewhere, "b:1", image_tag=ImageTag("v1"))]
    )

    house.sweep()

    assert house.there("used", "other") == ["used"]


@pytest.mark.parametrize("method", ["run_by_ecs", "run_by_lambda", "counted_by_inspector"])
def test_nothing_that_could_be_in_use_goes_when_one_source_cannot_be_read(method: str) -> None:
    house = House(image("old", "v0", age=31), retention=UNLESS_IN_USE)
    house.workloads.cover(API, [digest("old")])
    error = AccessDeniedError("not allowed")
    house.calls.fail_before(method, error)

    (outcome,) = house.sweep()

    assert house.there("old") == ["old"]
    assert outcome.error is error
    assert outcome.plan.is_empty
    assert outcome.plan.remarks == (f"{digest('old')} would go, but stays: it may be in use: not allowed",)


def test_nothing_that_could_be_in_use_goes_where_nobody_can_be_asked() -> None:
    house = House(image("old", "v0", age=31), retention=UNLESS_IN_USE)
    facts = replace(house.facts, workloads=None)

    (outcome,) = plan_repository_retention(house.governing, house.registry.images(API), facts)

    assert outcome.plan.is_empty
    assert "it may be in use: nobody was asked here" in outcome.plan.remarks[0]


def test_what_an_unreadable_index_may_list_stays_and_the_error_is_told() -> None:
    """attacks M6."""
    house = House(image("index", "v0", age=29), image("old", "v1", age=31), image("child", age=31))
    house.lists("index")
    error = RegistryUnavailableError("cut short")
    house.registry.hold_children(ImageRef(API, digest("index")), error)

    first, last = house.sweep()

    assert house.there("index", "old", "child") == ["index", "child"]
    assert (first.error, last.error) == (error, None)
    assert last.plan.remarks == (
        f"{digest('child')} would go, but stays: it may belong to the index {digest('index')}: "
        f"what the index {digest('index')} lists cannot be read: cut short",
    )


def test_images_go_and_tags_stay_when_sightings_cannot_be_read() -> None:
    house = House(image("old", "v0", age=31), image("draft", "pr-2"))
    house.age(15)
    house.registry.restore(image("old", "v0", age=31))
    error = ThrottledError("slow down")
    house.calls.fail_before("seen", error)

    outcomes = house.sweep()

    assert house.there("old", "draft") == ["draft"]
    assert [(one.rule, one.error, one.applied) for one in outcomes] == [("tags", error, False), ("images", None, True)]
    assert outcomes[0].remark == "no image tag expires: since when each is where it is, is not known"


def test_no_tag_expires_where_nobody_remembers_tags() -> None:
    house = House(image("draft", "pr-2"))
    house.age(15)
    facts = replace(house.facts, sightings=None)

    assert plan_repository_retention(house.governing, house.registry.images(API), facts) == ()
