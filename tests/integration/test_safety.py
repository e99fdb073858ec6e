"""Pause, brake and journal on the deployed template, with the rights that its roles give."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.domain.brake import ANSWERED_WITHIN
from ecr_steward.domain.journal import StepState
from ecr_steward.domain.pause import Pause
from tests.given import aws

pytestmark = pytest.mark.slow

FUNCTIONS = ("EnforceImageTagsFunction", "ReconcileRegistryFunction")
RULE = {
    "name": "safe",
    "match": {"repositories": ["safe/**"]},
    "mode": "enforce",
    "brake": {"removals": 2},
    "image_tags": {"allow": ["semver"], "on_violation": "quarantine"},
}


class Safety:
    """What a person has in hand: the switch, the brakes and the journal of the deployed steward."""

    def __init__(self, house: Any) -> None:
        self._house = house
        name = house.sandbox.deployment.resources["StateTable"].physical_id
        table = StateTable(aws.clients(), name, utc_now)
        self.switch = StateSwitch(table, utc_now)
        self.brakes = StateBrakes(table, utc_now)
        self.journal = StateJournal(table, utc_now)

    def turn(self, pause: Pause | None) -> None:
        """Turn the switch, and let half a minute pass by: workers that are started anew remember nothing."""
        if pause:
            self.switch.pause(pause)
        else:
            self.switch.resume()
        client = self._house.sandbox.client("lambda")
        for function in FUNCTIONS:
            name = self._house.sandbox.deployment.resources[function].physical_id
            timeout = client.get_function_configuration(FunctionName=name)["Timeout"]
            client.update_function_configuration(FunctionName=name, Timeout=timeout)

    def recorded(self, repository: str) -> list[Any]:
        today = self._house.sandbox.clock.now.date()
        found = self.journal.entries(today, today)
        return [entry for entry in found if entry.repository and entry.repository.name == repository]


@pytest.fixture(scope="module")
def tags(house: Any) -> Callable[[str], set[str]]:
    """The image tags of a repository."""

    def tags(repository: str) -> set[str]:
        pages = house.home.ecr.get_paginator("list_images").paginate(repositoryName=repository)
        return {one["imageTag"] for page in pages for one in page["imageIds"] if "imageTag" in one}

    return tags


@pytest.fixture
def safety(house: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Safety]:
    """With a rule that may take two image tags away."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.sandbox.endpoint_url)
    house.rulebook.deploy(lambda book: book.update(rules=[RULE, *(one for one in book["rules"] if one != RULE)]))
    safety = Safety(house)
    yield safety
    safety.switch.resume()
    for hold in list(safety.brakes.holds()):
        safety.brakes.release(hold, 0)
    assert house.sandbox.lost == []
    assert house.take("FailureQueue") == []


def test_nothing_changes_while_everything_is_paused_and_the_sweep_mends_it_afterwards(
    house: Any, safety: Safety, tags: Callable[[str], set[str]]
) -> None:
    safety.turn(Pause("ana", "looking at it", house.sandbox.clock.now))
    house.push("safe/paused", "dev")
    ran = house.sweep()

    assert tags("safe/paused") == {"dev"}
    (line,) = [line for line in house.outcomes(ran) if line["subject"].endswith("safe/paused") and line["steps"]]
    assert line["remarks"][0].startswith("paused by ana since ")

    safety.turn(None)
    house.sweep()

    (kept,) = tags("safe/paused")
    assert kept.startswith("quarantine-")
    (entry,) = safety.recorded("safe/paused")
    assert (entry.who, entry.image_tags, entry.state) == ("reconcile_registry", ("dev",), StepState.DONE)


def test_a_rule_stops_at_its_brake_tells_once_and_goes_on_when_a_person_lets_it(
    house: Any, safety: Safety, tags: Callable[[str], set[str]]
) -> None:
    with house.unheard():
        for number in range(3):
            house.push(f"safe/braked-{number}", "dev")
        house.sandbox.move_clock(ANSWERED_WITHIN)  # what came within it is answered, and not counted

    house.sweep()
    house.sweep()  # the brake holds, whichever sweep it is

    held = [name for number in range(3) if tags(name := f"safe/braked-{number}") == {"dev"}]
    assert len(held) == 1
    (hold,) = safety.brakes.holds()
    assert (hold.rule, hold.asked, hold.is_wide, hold.is_told) == ("safe", 1, True, True)
    assert hold.subject.endswith(held[0])
    told = [each.event["detail"] for each in house.sandbox.events if each.event["detail-type"] == "Brake Held"]
    assert [detail["rule"] for detail in told] == ["safe"]

    safety.brakes.release(hold, hold.asked)
    house.sweep()

    assert "dev" not in tags(held[0])
