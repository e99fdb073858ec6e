"""What fails its scan after it was copied, on the deployed template (attacks M4)."""

from typing import Any

import pytest

HIGH = {"CVE-2026-60001": "HIGH"}

pytestmark = pytest.mark.slow


def withdraw_on_fail(rulebook: dict[str, Any]) -> None:
    payments = next(rule for rule in rulebook["rules"] if rule["name"] == "payments")
    payments["match"] |= {"accounts": ["111122223333"], "regions": ["us-east-1"]}
    (entry,) = payments["replicate"]
    entry["withdraw"] = "on_fail"


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    house = open_house()
    house.rulebook.deploy(withdraw_on_fail)
    return house


@pytest.fixture
def children_of_copied(house: Any) -> Any:
    def copied(repository: str) -> list[Any]:
        pushed = house.push(repository, "1.0.0")
        children = [child.digest for child in pushed.children]
        house.scan_ends(repository, children)
        assert "1.0.0" in house.away.tags(repository)
        return children

    return copied


def withdrawn(house: Any, repository: str) -> list[dict[str, Any]]:
    events = (each.event for each in house.sandbox.events)
    found = (event["detail"] for event in events if event["detail-type"] == "Image Withdrawn")
    return [detail for detail in found if detail["repository-name"] == repository]


def test_image_leaves_its_destination_when_a_scan_fails_it_later_and_comes_back_when_it_passes(
    house: Any, children_of_copied: Any
) -> None:
    children = children_of_copied("payments/withdrawn")

    house.scan_ends("payments/withdrawn", children, HIGH)

    assert house.verdicts("payments/withdrawn")[-1]["verdict"] == "fail"
    assert house.away.tags("payments/withdrawn") == {}
    assert "1.0.0" in house.home.tags("payments/withdrawn")
    (notice,) = withdrawn(house, "payments/withdrawn")
    assert notice["destination"]["region"] == "eu-west-1"
    assert notice["image-tags"] == ["1.0.0"]
    assert "CVE-2026-60001 (HIGH)" in notice["why"]

    house.scan_ends("payments/withdrawn", children)

    assert "1.0.0" in house.away.tags("payments/withdrawn")
    assert house.take("FailureQueue") == []


def test_sweep_withdraws_what_failed_without_an_event(house: Any, children_of_copied: Any) -> None:
    children = children_of_copied("payments/unheard")
    with house.unheard():
        house.scan_ends("payments/unheard", children, HIGH)
    assert "1.0.0" in house.away.tags("payments/unheard")

    house.sweep()

    assert house.away.tags("payments/unheard") == {}
    assert len(withdrawn(house, "payments/unheard")) == 1
    assert house.take("FailureQueue") == []
