"""Asynchronous and direct invocations: retries, destinations, errors as callers see them."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

FAILS = """
    def lambda_handler(event, context):
        print("about to fail")
        raise ValueError("no luck")
"""
FAILS_ONCE = """
    import os, pathlib
    def lambda_handler(event, context):
        marker = pathlib.Path(os.environ["TMPDIR"]) / "tried"
        if not marker.exists():
            marker.touch()
            raise ValueError("not yet")
        return {"request_id": context.aws_request_id}
"""


@pytest.fixture(scope="module")
def works(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """Functions that fail, each with another exit."""
    stack = new_template()
    stack.queue("Failures")
    stack.queue("Successes")
    arn = stack.arn

    def exits(**destinations: str) -> dict[str, Any]:
        return {
            "MaximumRetryAttempts": 2,
            "DestinationConfig": {
                name: {"Type": "SQS", "Destination": arn(queue)} for name, queue in destinations.items()
            },
        }

    stack.function("Fails", FAILS, EventInvokeConfig=exits(OnFailure="Failures"))
    stack.function("FailsOnce", FAILS_ONCE, EventInvokeConfig=exits(OnFailure="Failures", OnSuccess="Successes"))
    stack.function("NoExit", FAILS, EventInvokeConfig={"MaximumRetryAttempts": 0})
    stack.function("MayNotExit", FAILS, Role=arn("BareRole"))
    trust = stack.allow("sts:AssumeRole", None, Principal={"Service": "lambda.amazonaws.com"})
    stack.add("BareRole", "AWS::IAM::Role", AssumeRolePolicyDocument=trust)
    destination = {"OnFailure": {"Destination": arn("Failures")}}
    stack.add(
        "MayNotExitConfig",
        "AWS::Lambda::EventInvokeConfig",
        FunctionName=stack.ref("MayNotExit"),
        Qualifier="$LATEST",
        DestinationConfig=destination,
    )
    stack.function("Echo")
    return start(stack)


def send_event(box: Any, function: str, event: Any) -> str:
    """Invoke asynchronously and wait for all that follows."""
    name = box.sandbox.engine.wiring.function(box.arn(function)).name
    answer = box.sandbox.client("lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event).encode()
    )
    assert answer["StatusCode"] == 202
    box.sandbox.wait_until_idle(15)
    return str(box.runs(function)[-1].request_id)


def test_function_runs_three_times_and_its_event_is_kept_when_it_always_raises(works: Any) -> None:
    request_id = send_event(works, "Fails", {"order": 1})

    runs = works.runs("Fails")
    assert [(run.attempt, run.outcome, run.request_id) for run in runs] == [(n, "error", request_id) for n in (1, 2, 3)]
    assert "about to fail" in runs[0].log
    (message,) = works.messages("Failures")
    record = message["body"]
    assert record["version"] == "1.0"
    assert record["requestPayload"] == {"order": 1}
    assert record["requestContext"] == {
        "requestId": request_id,
        "functionArn": works.arn("Fails") + ":$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 3,
    }
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responsePayload"]["errorType"] == "ValueError"
    assert record["responsePayload"]["errorMessage"] == "no luck"
    assert record["timestamp"].endswith("Z")


def test_event_is_handled_when_the_second_try_succeeds(works: Any) -> None:
    request_id = send_event(works, "FailsOnce", {"order": 2})

    assert [run.outcome for run in works.runs("FailsOnce")] == ["error", "ok"]
    assert works.messages("Failures") == []
    (message,) = works.messages("Successes")
    assert message["body"]["requestContext"]["condition"] == "Success"
    assert message["body"]["requestContext"]["approximateInvokeCount"] == 2
    assert message["body"]["responsePayload"] == {"request_id": request_id}


def test_event_is_counted_as_lost_when_the_function_has_no_failure_destination(works: Any) -> None:
    request_id = send_event(works, "NoExit", {})

    (lost,) = [one for one in works.sandbox.lost if one.event_id == request_id]
    assert lost.error_message == "the function has no failure destination"
    assert len(works.runs("NoExit")) == 1


def test_event_is_counted_as_lost_when_the_role_may_not_write_to_the_destination(works: Any) -> None:
    request_id = send_event(works, "MayNotExit", {})

    (lost,) = [one for one in works.sandbox.lost if one.event_id == request_id]
    assert "is not allowed to sqs:SendMessage" in lost.error_message
    assert works.messages("Failures") == []


def test_caller_gets_answer_and_log_when_it_waits(works: Any) -> None:
    answer = works.sandbox.client("lambda").invoke(
        FunctionName=works.arn("Echo"), Payload=b'{"a": [1]}', LogType="Tail"
    )

    assert json.loads(answer["Payload"].read()) == {"a": [1]}
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer


def test_caller_gets_the_error_when_the_function_raises(works: Any) -> None:
    answer = works.sandbox.client("lambda").invoke(FunctionName=works.arn("NoExit"), Payload=b"{}", LogType="Tail")

    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read())["errorType"] == "ValueError"
    assert b"about to fail" in base64.b64decode(answer["LogResult"])


def test_caller_is_refused_when_the_function_does_not_exist(works: Any) -> None:
    client = works.sandbox.client("lambda")

    for name in ("nobody", "Echo"):  # the second is the template's name of a function, which only CloudFormation knows
        with pytest.raises(client.exceptions.ResourceNotFoundException, match=f"Function not found: arn:.*:{name}"):
            client.invoke(FunctionName=name, Payload=b"{}")


@pytest.mark.parametrize("form", ["{name}", "{name}:$LATEST", "{account}:function:{name}", "{arn}", "{arn}:$LATEST"])
def test_function_runs_when_it_is_named_in_any_of_the_ways_that_lambda_knows(works: Any, form: str) -> None:
    resource = works.sandbox.deployment.resources["Echo"]
    named = form.format(name=resource.physical_id, account=works.sandbox.account, arn=resource.arn)

    answer = works.sandbox.client("lambda").invoke(FunctionName=named, Payload=b'"hello"')

    assert json.loads(answer["Payload"].read()) == "hello"


def test_caller_is_refused_when_the_payload_is_no_json(works: Any) -> None:
    client = works.sandbox.client("lambda")

    with pytest.raises(client.exceptions.InvalidRequestContentException, match="parse request body"):
        client.invoke(FunctionName=works.arn("Echo"), Payload=b"{")


def test_nothing_runs_when_the_call_is_a_dry_run(works: Any) -> None:
    before = len(works.runs("Echo"))

    answer = works.sandbox.client("lambda").invoke(FunctionName=works.arn("Echo"), InvocationType="DryRun")

    assert answer["StatusCode"] == 204
    assert len(works.runs("Echo")) == before
