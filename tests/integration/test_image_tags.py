"""Rules about image tags in the house as it is deployed: what images lack is found, and aliases are put right."""

from datetime import timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.slow

VERSION = "org.opencontainers.image.version"
"""The annotation that every index of these tests has; none of their images has a label."""
RULES: list[dict[str, Any]] = [
    {
        "name": "labelled",
        "match": {"repositories": ["labelled/**"]},
        "mode": "enforce",
        "image_tags": {"labels": {"required": [VERSION]}, "on_violation": "quarantine"},
    },
    {
        "name": "accompanied",
        "match": {"repositories": ["accompanied/**"]},
        "mode": "enforce",
        "image_tags": {
            "annotations": {"required": [VERSION]},
            "companions": {"required": [{"artifact_type": "application/spdx+json"}], "within": "90m"},
            "on_violation": "untag",
        },
    },
    {
        "name": "immutable",
        "match": {"repositories": ["immutable/**"]},
        "mode": "enforce",
        "image_tags": {"aliases": {"from": "semver", "add": ["{major}-latest"], "move": "delete_and_retag"}},
        "repository": {"mutability": {"immutable": True}},
    },
]


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    """The house with these rules."""
    opened = open_house()
    opened.rulebook.deploy(lambda rulebook: rulebook.update(rules=RULES))
    return opened


def violations(house: Any, repository: str) -> list[dict[str, Any]]:
    details = [e.event["detail"] for e in house.sandbox.events if e.event["detail-type"] == "Violation Found"]
    return [detail for detail in details if detail["repository-name"] == repository]


def test_an_image_is_quarantined_and_told_when_it_lacks_a_label(house: Any) -> None:
    pushed = house.push("labelled/api", "1.0.0")

    kept = f"quarantine-{pushed.index.digest.hex[:12]}"
    assert house.home.tags("labelled/api") == {kept: str(pushed.index.digest)}
    (told,) = violations(house, "labelled/api")
    assert (told["version"], told["answer"], told["quarantine-tag"]) == ("2", "quarantine", kept)
    assert told["why"] == f"label {VERSION!r} is missing in {min(c.digest for c in pushed.children)} and 1 more"
    assert "image-tag" not in told
    assert house.take("FailureQueue") == []


def test_an_image_without_an_sbom_loses_its_tags_when_its_time_is_over(house: Any) -> None:
    good = house.push("accompanied/api", "1.0.0")
    house.home.ecr.create_repository(repositoryName="accompanied/bare")
    bare = house.push("accompanied/bare", "2.0.0")
    house.home.ecr.batch_delete_image(
        repositoryName="accompanied/bare", imageIds=[{"imageDigest": str(bare.sbom.digest)}]
    )
    house.sandbox.wait_until_idle()
    told_at_once = violations(house, "accompanied/bare")

    house.sandbox.move_clock(timedelta(hours=2))
    house.sandbox.wait_until_idle()

    assert told_at_once == []
    assert house.home.tags("accompanied/api") == {"1.0.0": str(good.index.digest)}
    assert set(house.home.tags("accompanied/bare")) == {f"quarantine-{bare.index.digest.hex[:12]}"}
    assert [told["answer"] for told in violations(house, "accompanied/bare")] == ["untag"]
    assert house.take("FailureQueue") == []


def test_an_immutable_alias_follows_the_highest_version(house: Any) -> None:
    first = house.push("immutable/api", "1.0.0")
    second = house.push("immutable/api", "1.1.0")

    assert house.home.tags("immutable/api") == {
        "1.0.0": str(first.index.digest),
        "1.1.0": str(second.index.digest),
        "1-latest": str(second.index.digest),
    }


def test_the_sweep_adds_an_alias_when_a_function_died_in_the_gap(house: Any) -> None:
    house.push("immutable/gap", "1.0.0")
    second = house.push("immutable/gap", "1.1.0")
    with house.unheard():
        house.home.ecr.batch_delete_image(repositoryName="immutable/gap", imageIds=[{"imageTag": "1-latest"}])

    house.sweep()

    assert house.home.tags("immutable/gap")["1-latest"] == str(second.index.digest)
    assert house.take("FailureQueue") == []
