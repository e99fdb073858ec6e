"""The house with a fault in it: nothing is enforced by halves, and every event is kept with its reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.function_logs import log_lines


def with_a_typo_in_the_rulebook(build: Path) -> None:
    path = build / "RulebookLayer" / "rulebook.json"
    compiled = json.loads(path.read_text())
    compiled["rulebook"]["rules"][0]["mode"] = "enforcee"
    path.write_text(json.dumps(compiled))


def with_a_bug(build: Path) -> None:
    app = build / "EnforceImageTagsFunction" / "app.py"
    app.write_text("def lambda_handler(event, context):\n    raise RuntimeError('a bug')\n")


@pytest.mark.slow
def test_nothing_is_enforced_and_events_wait_with_the_reason_when_the_rulebook_is_invalid(open_house: Any) -> None:
    house = open_house(with_a_typo_in_the_rulebook)

    house.push("team-a/api", "latest")

    failed = house.take("FailureQueue")
    assert {each["error"] for each in failed} == {"InvalidRulebookError"}
    assert all("enforcee" in each["message"] and "nothing is enforced" in each["message"] for each in failed)
    assert set(house.home.tags("team-a/api")) == {"latest"}
    assert house.home.ecr.describe_repositories()["repositories"][0]["imageTagMutability"] == "MUTABLE"
    assert house.away.ecr.describe_repositories()["repositories"] == []


@pytest.mark.slow
def test_event_is_tried_three_times_and_then_kept_when_a_function_has_a_bug(open_house: Any, load_event: Any) -> None:
    house = open_house(with_a_bug)
    event = load_event("ecr_image_action/push_tagged")

    ran = house.deliver(event)

    assert [each.function for each in ran].count("EnforceImageTagsFunction") == 3
    assert [
        (each["requestPayload"], each["requestContext"]["condition"], each["responsePayload"]["errorMessage"])
        for each in house.take("FailureQueue")
    ] == [(event, "RetriesExhausted", "a bug")]
    assert not any(
        line.get("message") == "outcome" for each in ran if "Enforce" in each.function for line in log_lines(each.log)
    )


@pytest.mark.slow
def test_copy_job_is_tried_five_times_and_then_kept_when_a_layer_has_vanished_from_the_source(open_house: Any) -> None:
    house = open_house()
    pushed = house.push("team-a/api", "1.0.0")
    layer = pushed.children[0].blobs[-1].digest
    house.away.ecr.delete_repository(repositoryName="team-a/api", force=True)
    (stored,) = house.data.glob(f"ecr/*/us-east-1/blobs/sha256/**/{layer.hex}")
    stored.unlink()
    before = len(house.sandbox.invocations)

    house.sandbox.tick("ReconcileRegistryFunctionSweep")
    house.sandbox.wait_until_idle()

    tries = [each for each in house.sandbox.invocations[before:] if each.function == "ReplicateImageFunction"]
    assert len(tries) == 5
    (kept,) = house.take("ReplicateImageDeadLetterQueue")
    assert kept["detail"]["image-digest"] == str(pushed.index.digest)
    assert house.take("FailureQueue") == []
    assert house.away.tags("team-a/api") == {}
