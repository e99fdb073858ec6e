"""Bad input on the deployed template: a clear answer, the event where a person finds it, nothing half-written."""

import base64
from typing import Any

import pytest
import urllib3

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.domain.images import MANIFEST_LIMIT, OCI_MANIFEST
from ecr_steward.domain.names import ImageTag
from ecr_steward.errors import AccessDeniedError
from ecr_steward_sandbox.function_logs import log_lines

pytestmark = pytest.mark.slow


def remarks(invocations: Any) -> set[str]:
    lines = [line for each in invocations for line in log_lines(each.log)]
    return {remark for line in lines for remark in line.get("remarks", [])}


def test_malformed_event_waits_in_the_failure_queue_once_for_each_job(house: Any, load_event: Any) -> None:
    event = load_event("ecr_image_action/push_tagged")
    event["detail"]["image-digest"] = "sha256:beef"

    house.deliver(event)

    failed = house.take("FailureQueue")
    assert sorted(each["error"] for each in failed) == ["MalformedEventError"] * 2
    assert {each["function"].split("-")[2] for each in failed} == {
        "EnforceImageTagsFunction",
        "EvaluateImageScanFunction",
    }
    assert all(each["event"] == event for each in failed)
    assert all("detail.image-digest" in each["message"] for each in failed)


def test_no_function_hears_of_it_when_the_action_type_is_unknown(house: Any, load_event: Any) -> None:
    assert house.deliver(load_event("ecr_image_action/unknown_action")) == []
    assert house.take("DeliveryFailureQueue") == []


@pytest.mark.parametrize("case", ["push_untagged", "push_without_tag"])
def test_no_function_hears_of_a_push_when_it_has_no_tag(case: str, house: Any, load_event: Any) -> None:
    assert house.deliver(load_event(f"ecr_image_action/{case}")) == []
    assert house.take("DeliveryFailureQueue") == []


def test_nothing_is_done_when_the_repository_is_gone_meanwhile(house: Any, load_event: Any) -> None:
    event = load_event("ecr_image_action/push_tagged")
    event["detail"]["repository-name"] = "team-gone/api"

    ran = house.deliver(event)

    assert "the repository is gone" in remarks(ran)
    assert house.take("FailureQueue") == []


def test_nothing_is_done_when_the_digest_is_gone_meanwhile(house: Any, load_event: Any) -> None:
    house.push("team-a/bad-input", "1.0.0")
    event = load_event("ecr_image_action/push_tagged")
    event["detail"] |= {"repository-name": "team-a/bad-input", "image-digest": f"sha256:{'0' * 64}"}

    ran = house.deliver(event)

    assert {"the image is gone", "the image is gone, or its subject has not been pushed"} <= remarks(ran)
    assert house.take("FailureQueue") == []


def test_manifest_over_four_mebibytes_is_refused_and_announces_nothing(house: Any) -> None:
    house.push("team-a/bad-input", "1.0.0")
    before = len(house.sandbox.events)
    registry = house.home.registry
    too_large = b" " * (MANIFEST_LIMIT + 1)

    status, body = put_raw(registry, "team-a/bad-input", "9.9.9", too_large)

    assert status in (400, 413)
    assert b"errors" in body
    assert "9.9.9" not in house.home.tags("team-a/bad-input")
    assert len(house.sandbox.events) == before


def test_wrong_password_is_refused_clearly(house: Any) -> None:
    wrong = base64.b64encode(b"AWS:not-the-token").decode()
    stranger = DistributionClient(house.sandbox.registry_url("us-east-1"), lambda: f"Basic {wrong}")

    with pytest.raises(AccessDeniedError):
        stranger.get_manifest("team-a/bad-input", ImageTag("1.0.0"))


def test_poisonous_copy_job_waits_in_the_failure_queue_and_the_next_one_is_done(house: Any) -> None:
    sqs = house.sandbox.client("sqs")
    url = house.sandbox.deployment.resources["ReplicateImageQueue"].physical_id

    sqs.send_message(QueueUrl=url, MessageBody="{not json")
    house.push("team-a/after-the-poison", "1.0.0")

    (failed,) = house.take("FailureQueue")
    assert (failed["error"], failed["event"]) == ("MalformedEventError", "{not json")
    assert "1.0.0" in house.away.tags("team-a/after-the-poison")
    assert house.take("ReplicateImageDeadLetterQueue") == []


def put_raw(registry: DistributionClient, repository: str, reference: str, content: bytes) -> tuple[int, bytes]:
    """Put bytes that our own client would not send."""

    session = registry._session
    with urllib3.PoolManager() as pool:
        response = pool.request(
            "PUT",
            session.url(repository, "manifests", reference),
            body=content,
            headers={"Authorization": session._authorization(), "Content-Type": OCI_MANIFEST},
            retries=False,
        )
        return response.status, response.data
