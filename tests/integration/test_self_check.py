"""The self-check of the deployed templates: it passes each rule that an alarm watches, and none that is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.ledger import Fate
from ecr_steward_sandbox.function_logs import log_lines
from tests.integration.conftest import House

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("self-check")]

HUB, SPOKE = "111122223333", "222233334444"
STARTED = {
    "EnforceImageTagsFunction",
    "ApplyRepositoryPoliciesFunction",
    "EvaluateImageScanFunction",
    "ReplicateImageFunction",
}


@dataclass
class Checks:
    """Self-checks in a house of two accounts, and which rules have passed them on."""

    house: House

    def alarms(self, account: str = HUB) -> dict[str, str]:
        """By each alarm that watches a rule, the rule's ARN, as its dimensions name it."""
        found: dict[str, str] = {}
        for page in self.client("cloudwatch", account).get_paginator("describe_alarms").paginate():
            for alarm in page["MetricAlarms"]:
                if alarm["Namespace"] == "AWS/Events":
                    named = {each["Name"]: each["Value"] for each in alarm["Dimensions"]}
                    rule = "/".join([*filter(None, [named.get("EventBusName")]), named["RuleName"]])
                    found[alarm["AlarmName"]] = f"arn:aws:events:us-east-1:{account}:rule/{rule}"
        return found

    def client(self, service: str, account: str = HUB) -> Any:
        return self.house.sandbox.client(service, account=account)

    def run(self) -> tuple[set[str], set[str], list[str]]:
        """Let them come due: the rules that invoked something, the functions that answered, what was not delivered."""
        sandbox = self.house.sandbox
        deliveries, runs = len(sandbox.deliveries), len(sandbox.invocations)
        sandbox.tick("SelfCheckSchedule")
        sandbox.wait_until_idle()
        made = sandbox.deliveries[deliveries:]
        answers = {one.function: one.payload for one in sandbox.invocations[runs:]}
        assert all(answer in ({"outcomes": []}, {"batchItemFailures": []}) for answer in answers.values()), answers
        return (
            {one.source for one in made if ":rule/" in one.source},
            set(answers),
            [one.source for one in made if one.fate is not Fate.DELIVERED],
        )


@pytest.fixture(scope="module")
def checks(open_house: Callable[..., House]) -> Iterator[Checks]:
    """A hub and a connected account."""
    yield Checks(open_house(spokes=[SPOKE], spoke_template=Path("spoke.yaml")))


def test_it_passes_each_rule_that_an_alarm_watches_and_each_function_answers(checks: Checks) -> None:
    before = len(checks.house.sandbox.decisions)
    passed, answered, lost = checks.run()

    assert checks.house.sandbox.decisions[before:] == [], "no function has looked at anything"
    assert passed == {*checks.alarms().values(), *checks.alarms(SPOKE).values()}
    assert len(passed) == 6
    assert answered == STARTED
    assert lost == []


@pytest.mark.parametrize(
    ("alarm", "left"),
    [
        ("ForwardToSteward", set()),
        ("EnforceImageTags", STARTED - {"EnforceImageTagsFunction"}),
        ("ApplyRepositoryPolicies", STARTED - {"ApplyRepositoryPoliciesFunction"}),
        ("EvaluateImageScan", STARTED - {"EvaluateImageScanFunction"}),
        ("ReplicateImage", STARTED - {"ReplicateImageFunction"}),
    ],
)
def test_a_rule_that_is_disabled_is_what_its_alarm_misses(checks: Checks, alarm: str, left: set[str]) -> None:
    arn = next(rule for name, rule in checks.alarms().items() if f"-{alarm}SilentAlarm" in name)
    events = checks.client("events")
    *bus, name = arn.partition("rule/")[2].split("/")
    where = {"EventBusName": bus[0]} if bus else {}

    events.disable_rule(Name=name, **where)
    passed, answered, lost = checks.run()
    events.enable_rule(Name=name, **where)

    assert arn not in passed
    assert answered == left
    assert lost == []


def test_a_policy_that_was_changed_shows_among_what_was_not_delivered(checks: Checks) -> None:
    sqs = checks.client("sqs")
    url = checks.house.sandbox.deployments[HUB].resources["ReplicateImageQueue"].physical_id
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]

    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    passed, answered, lost = checks.run()
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)

    rule = next(arn for name, arn in checks.alarms().items() if "-ReplicateImageSilentAlarm" in name)
    assert lost == [rule], "in DeliveryFailureQueue, whose alarm rings"
    assert rule in passed
    assert answered == STARTED - {"ReplicateImageFunction"}


def test_a_sweep_counts_what_no_event_has_had_done(checks: Checks) -> None:
    house = checks.house
    with house.unheard():
        house.push("team-a/missed", "1.4.2")
    house.sandbox.move_clock(timedelta(minutes=20))
    house.sandbox.wait_until_idle()

    swept = [line for run in house.sweep() for line in log_lines(run.log)]

    named = [each for line in swept for each in line.get("missed", ())]
    assert any("/team-a/missed, created " in each for each in named), named
    assert any("/team-a/missed@sha256:" in each and ", pushed " in each for each in named), named
    assert sum(line.get("events_missed", 0) for line in swept) == len(named)
    again = [line for run in house.sweep() for line in log_lines(run.log)]
    assert sum(line.get("events_missed", 0) for line in again) == 0


def test_a_connected_account_misses_its_own_when_its_rule_is_disabled(checks: Checks) -> None:
    (arn,) = checks.alarms(SPOKE).values()
    events = checks.client("events", SPOKE)
    name = arn.rpartition("/")[2]

    events.disable_rule(Name=name)
    passed, answered, _ = checks.run()
    events.enable_rule(Name=name)

    assert passed == set(checks.alarms().values())
    assert answered == STARTED
