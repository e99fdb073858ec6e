"""Copies in the house as it is deployed: what has gone at the source, and what no invocation is long enough for."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_steward.usecases.moving import RESERVE_SECONDS

pytestmark = pytest.mark.slow


def rule(**copies: Any) -> dict[str, Any]:
    """Copies of everything in another region."""
    return {
        "name": "copied",
        "match": {"repositories": ["copied/**"], "regions": ["us-east-1"]},
        "mode": "enforce",
        "replicate": [{"to": [{"region": "eu-west-1"}], **copies}],
    }


def test_a_tag_goes_at_the_destination_some_days_after_it_has_gone_at_the_source(open_house: Any) -> None:
    house = open_house(parameters={"SweepSchedule": "rate(2 days)"})  # what six sweeps do not miss is forgotten
    house.rulebook.deploy(lambda rulebook: rulebook.update(rules=[rule(remove={"after": "7d"})], credentials=[]))
    for image_tag in ("1.0.0", "1.1.0"):
        house.push("copied/api", image_tag)
    house.sweep()
    house.home.ecr.batch_delete_image(repositoryName="copied/api", imageIds=[{"imageTag": "1.0.0"}])
    house.sweep()

    house.sandbox.move_clock(timedelta(days=6))
    house.sweep()
    assert house.away.tags("copied/api").keys() == {"1.0.0", "1.1.0"}
    house.sandbox.move_clock(timedelta(days=2))
    house.sweep()

    assert house.away.tags("copied/api").keys() == {"1.1.0"}
    assert house.away.tags("copied/api") == house.home.tags("copied/api")


def test_a_copy_is_put_back_and_then_fails_by_name_when_no_invocation_is_long_enough(open_house: Any) -> None:
    def hurry(build: Path) -> None:
        path = build / "template.yaml"
        template = yaml.safe_load(path.read_text(encoding="utf-8"))
        template["Resources"]["ReplicateImageFunction"]["Properties"]["Timeout"] = int(RESERVE_SECONDS)
        path.write_text(yaml.safe_dump(template), encoding="utf-8")

    house = open_house(hurry)
    house.rulebook.deploy(lambda rulebook: rulebook.update(rules=[rule()], credentials=[]))

    house.push("copied/api", "1.0.0")

    ran = [each for each in house.sandbox.invocations if "ReplicateImage" in each.function]
    told = [remark for line in house.outcomes(ran) for remark in line.get("remarks", [])]
    assert "the time of this invocation is over: what is left is back on the queue" in told
    failed = house.take("FailureQueue")
    assert {message["error"] for message in failed} == {"BlobTooLargeError"}
    assert all("`ecr-steward copy`" in message["message"] for message in failed)
    assert all(message["event"]["detail"]["hops"] == 1 for message in failed)
    assert not house.away.has_repository("copied/api") or house.away.tags("copied/api") == {}
