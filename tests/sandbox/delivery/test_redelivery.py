"""When a message comes back that a function failed on, where the sandbox leaves that to the queue and the function."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

POSTPONES_POISON = """
    import datetime, functools, hashlib, hmac, json, os, urllib.parse, urllib.request
    def signed(target, body):  # by AWS Signature Version 4
        region, token = os.environ["AWS_REGION"], os.environ["AWS_SESSION_TOKEN"]
        url = os.environ["AWS_ENDPOINT_URL"] + "/"
        at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": urllib.parse.urlsplit(url).netloc,
            "x-amz-date": at,
            "x-amz-security-token": token,
            "x-amz-target": target,
        }
        names, lines = ";".join(headers), "".join(f"{name}:{value}\\n" for name, value in headers.items())
        asked = "\\n".join(["POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()])
        scope = [at[:8], region, "sqs", "aws4_request"]
        text = "\\n".join(["AWS4-HMAC-SHA256", at, "/".join(scope), hashlib.sha256(asked.encode()).hexdigest()])
        key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
        mac = functools.reduce(lambda key, part: hmac.digest(key, part.encode(), "sha256"), [*scope, text], key)
        credential = "/".join([os.environ["AWS_ACCESS_KEY_ID"], *scope])
        said = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={mac.hex()}"
        return urllib.request.Request(url, body, {**headers, "authorization": said})
    def lambda_handler(event, context):
        (record,) = event["Records"]
        asked = {
            "QueueUrl": os.environ["QUEUE_URL"],
            "ReceiptHandle": record["receiptHandle"],
            "VisibilityTimeout": 600,
        }
        if record["body"] == "poison":
            body = json.dumps(asked).encode()
            urllib.request.urlopen(signed("AmazonSQS.ChangeMessageVisibility", body)).close()
        raise ValueError(record["body"])
"""


@pytest.fixture(scope="module")
def patient(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """A queue of an hour's visibility timeout; its function always fails, and postpones some messages before."""
    stack = new_template()
    stack.queue("JobsDead")
    redrive = {"deadLetterTargetArn": stack.arn("JobsDead"), "maxReceiveCount": 3}
    stack.queue("Jobs", VisibilityTimeout=3600, RedrivePolicy=redrive)
    stack.function(
        "Postpones",
        POSTPONES_POISON,
        Timeout=20,
        Environment={"Variables": {"QUEUE_URL": stack.ref("Jobs")}},
        Policies=[stack.allow("sqs:ChangeMessageVisibility", stack.arn("Jobs"))],
        Events={"Source": {"Type": "SQS", "Properties": {"Queue": stack.arn("Jobs"), "BatchSize": 1}}},
    )
    return start(stack, redelivery_seconds=None)


@pytest.mark.slow
@pytest.mark.parametrize(("body", "minutes"), [("poison", 10), ("plain", 60)])
def test_message_comes_back_in_the_sandboxs_time_when_it_is_left_to_queue_and_function(
    patient: Any, body: str, minutes: int
) -> None:
    def received() -> list[str]:
        patient.sandbox.wait_until_idle(15)
        records = [run.event["Records"][0] for run in patient.runs("Postpones")]
        return [one["attributes"]["ApproximateReceiveCount"] for one in records if one["body"] == body]

    patient.send("Jobs", body)
    assert received() == ["1"]

    patient.sandbox.move_clock(timedelta(minutes=minutes - 1))
    assert received() == ["1"]
    patient.sandbox.move_clock(timedelta(minutes=1))
    assert received() == ["1", "2"]
    for _ in range(2):
        patient.sandbox.move_clock(timedelta(minutes=minutes))
    assert received() == ["1", "2", "3"]
    sqs = patient.sandbox.client("sqs")
    (dead,) = sqs.receive_message(QueueUrl=patient.url("JobsDead"))["Messages"]
    sqs.delete_message(QueueUrl=patient.url("JobsDead"), ReceiptHandle=dead["ReceiptHandle"])
    assert dead["Body"] == body
