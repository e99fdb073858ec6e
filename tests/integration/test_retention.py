"""Retention in the house as it is deployed: what has had its time goes by itself, what runs stays."""

from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.slow

HOST = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
RULES: list[dict[str, Any]] = [
    {
        "name": "retained",
        "match": {"repositories": ["retained/**"]},
        "mode": "enforce",
        "brake": {"removals": 50, "share": "100%"},
        "image_tags": {"expire": [{"tags": ["pr-*"], "after": "14d"}]},
        "repository": {
            "lifecycle": [
                {"keep": {"in_use": ["ecs", "lambda"]}},
                {"expire": {"tags": ["v*"], "not_pulled_for": "30d"}},
            ]
        },
        "scan": {"fail_on": {"severity": "HIGH"}},
    }
]


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    """The house with these rules, and without credentials: a login is tried on an image, which counts as a pull."""
    opened = open_house(parameters={"SeeWorkloads": "true"})
    opened.rulebook.deploy(lambda rulebook: rulebook.update(rules=RULES, credentials=[]))
    return opened


def days(house: Any, number: float) -> None:
    """Let days pass, with a sweep on each of the first and the last of them, as every hour."""
    house.sweep()
    house.sandbox.move_clock(timedelta(days=number))
    house.sweep()
    house.sandbox.wait_until_idle()


def push_again(house: Any, image_tag: str) -> None:
    """Tell the house of a push of an image tag to the image that holds it, by the event of its first push."""
    pushes = [each.event for each in house.sandbox.events if each.event["detail-type"] == "ECR Image Action"]
    event = next(each for each in pushes if each["detail"].get("image-tag") == image_tag)
    (ran, *_) = house.deliver({**event, "time": house.sandbox.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")})
    assert ran.outcome == "ok"


def test_a_tag_goes_after_its_days_and_has_them_again_when_somebody_pushes_it(house: Any) -> None:
    for image_tag in ("pr-1", "pr-2", "main"):
        house.push("retained/tags", image_tag)
    days(house, 13)
    push_again(house, "pr-2")

    days(house, 2)

    assert house.home.tags("retained/tags").keys() == {"pr-2", "main"}
    days(house, 13)
    assert house.home.tags("retained/tags").keys() == {"main"}


def test_an_image_goes_that_nobody_but_the_steward_has_read_unless_it_runs(house: Any) -> None:
    for image_tag in ("v1", "v2", "v3"):
        house.push("retained/images", image_tag)
    ecs = house.sandbox.client("ecs")
    container = {"name": "api", "image": f"{HOST}/retained/images:v2", "memory": 8}
    ecs.register_task_definition(family="api", containerDefinitions=[container])
    for _ in range(3):
        days(house, 9.9)
    assert house.home.tags("retained/images").keys() == {"v1", "v2", "v3"}

    house.home.ecr.batch_get_image(repositoryName="retained/images", imageIds=[{"imageTag": "v3"}])
    days(house, 1)

    assert house.home.tags("retained/images").keys() == {"v2", "v3"}
    digests = {
        image["imageDigest"]
        for image in house.home.ecr.describe_images(repositoryName="retained/images")["imageDetails"]
    }
    assert len(digests) == 6, "an index and two images of each: what the deleted index listed went with it"
