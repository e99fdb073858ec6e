"""A rulebook that lies in S3, on the deployed template: a new one counts within a minute, a bad one never."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.validate import validate

pytestmark = pytest.mark.slow

BUCKET, KEY = "example-rules", "ecr-steward/rulebook.json"
A_LOOK_LATER = timedelta(seconds=61)


def compiled(name: str, **keys: Any) -> str:
    """A rulebook with one rule of this name, which denies ``latest``."""
    rule = {
        "name": name,
        "match": {"repositories": ["**"]},
        "mode": "enforce",
        "image_tags": {"deny": ["latest"]},
        **keys,
    }
    rulebook, problems = validate({"version": 1, "rules": [rule]})
    assert rulebook is not None, problems
    return dump_compiled(rulebook, "ecr-steward.yaml", b"")


@pytest.fixture(scope="module")
def house(open_house: Callable[..., Any]) -> Any:
    """The house with a bucket for its rulebook, which is empty."""
    house = open_house(parameters={"RulebookBucket": BUCKET, "TrustedPrincipals": "333344445555"})
    house.sandbox.client("s3").create_bucket(Bucket=BUCKET)
    return house


@pytest.fixture
def put(house: Any) -> Callable[[str], None]:
    """Put an object there, and let so much time pass that functions look at it."""

    def put_object(text: str) -> None:
        house.sandbox.client("s3").put_object(Bucket=BUCKET, Key=KEY, Body=text.encode())
        house.sandbox.move_clock(A_LOOK_LATER)
        house.sandbox.wait_until_idle()

    return put_object


def governing(house: Any, repository: str) -> set[str]:
    """The rules that have a say on what was pushed just now."""
    before = len(house.sandbox.invocations)
    house.push(repository, "1.0.0")
    ran = house.sandbox.invocations[before:]
    return {outcome["rule"] for outcome in house.outcomes(ran, "EnforceImageTags")}


def last_good(house: Any) -> str:
    """The rulebook in the state table, which serves where that of the bucket does not."""
    table = house.sandbox.deployment.resources["StateTable"].physical_id
    items = house.sandbox.client("dynamodb").scan(TableName=table)["Items"]
    texts = [item["text"]["B"] for item in items if item["pk"]["S"] == "rulebook" and "text" in item]
    return "".join(gzip.decompress(text).decode() for text in texts)


def refusals(house: Any) -> list[str]:
    """The reasons of every Rulebook Refused."""
    events = [each.event for each in house.sandbox.events if each.event["detail-type"] == "Rulebook Refused"]
    return [event["detail"]["reason"] for event in events]


def counted(house: Any) -> int:
    """How often the metric was counted that the alarm watches."""
    lines = [line for each in house.sandbox.invocations for line in each.log.splitlines() if "RulebooksRefused" in line]
    documents = [json.loads(line) for line in lines if line.startswith("{")]
    return sum(document.get("RulebooksRefused", 0) for document in documents)


def test_the_rulebook_of_the_bucket_counts_and_a_bad_one_changes_nothing(
    house: Any, put: Callable[[str], None]
) -> None:
    house.push("team-a/before", "1.0.0")
    failed = [each for each in house.take("FailureQueue") if each["error"] == "InvalidRulebookError"]
    assert failed
    assert "s3:GetObject" in failed[0]["message"]

    put(compiled("first"))
    assert governing(house, "team-a/one") == {"first"}
    put(compiled("second"))
    assert governing(house, "team-a/two") == {"second"}
    refused_before, counted_before = len(refusals(house)), counted(house)

    put(compiled("third").replace('"enforce"', '"enforced"'))
    assert governing(house, "team-a/three") == {"second"}

    reasons = refusals(house)[refused_before:]
    assert len(reasons) == 1
    assert "ES104 rules[0].mode: `enforced` is not known here; did you mean `enforce`?" in reasons[0]
    assert counted(house) > counted_before
    assert house.take("FailureQueue") == []

    put(compiled("fourth"))
    assert governing(house, "team-a/four") == {"fourth"}


def test_a_rulebook_is_refused_as_a_whole_when_it_names_a_principal_that_is_not_trusted(
    house: Any, put: Callable[[str], None]
) -> None:
    """aws M4"""
    put(compiled("trusting", repository={"policy": {"pull": ["account", "333344445555"]}}))
    assert governing(house, "team-b/one") == {"trusting"}
    refused_before = len(refusals(house))

    put(compiled("open", repository={"policy": {"pull": ["account", "999988887777"]}}))
    assert governing(house, "team-b/two") == {"trusting"}

    (reason,) = refusals(house)[refused_before:]
    assert "ES608 rules[0].repository.policy.pull[1]: `999988887777` is a principal" in reason
    assert "as the template's parameter TrustedPrincipals says" in reason


@pytest.mark.parametrize(("name", "run"), [("for-sweeps", "sweep"), ("for-logins", "refresh")])
def test_what_a_schedule_starts_reads_the_object_and_keeps_it(
    house: Any, put: Callable[[str], None], name: str, run: str
) -> None:
    put(compiled(name))
    assert f'"{name}"' not in last_good(house)

    getattr(house, run)()

    assert f'"{name}"' in last_good(house)


@pytest.mark.parametrize(
    ("queue", "sample"),
    [
        ("EvaluateImageScanQueue", "ecr_image_scan/complete"),
        ("ReplicateImageQueue", "replication_requested/missing_at_destination"),
    ],
)
def test_what_a_queue_starts_reads_the_object_and_keeps_it(
    house: Any, put: Callable[[str], None], load_event: Callable[[str], Any], queue: str, sample: str
) -> None:
    put(compiled(queue.lower()))
    url = house.sandbox.deployment.resources[queue].physical_id

    house.sandbox.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(load_event(sample)))
    house.sandbox.wait_until_idle()

    assert f'"{queue.lower()}"' in last_good(house)
