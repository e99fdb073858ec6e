"""What is deployed through Lambda's API runs from then on, and the build stays as it was."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward_sandbox.api_calls import HttpRequest, read_call
from ecr_steward_sandbox.moto_gateway import HttpAnswer, MotoGateway
from ecr_steward_sandbox.redeployment import Redeployment

READS = """
    import os, pathlib, time
    def lambda_handler(event, context):
        text = pathlib.Path(os.environ["WORDS"]).read_text()
        if "wait_for" in event:
            pathlib.Path(event["begun"]).touch()
            while not pathlib.Path(event["wait_for"]).exists():
                time.sleep(0.01)
        return {"text": text, "greeting": os.environ.get("GREETING"), "version": 1}
"""


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """A function that reads a file of its Lambda layer."""
    stack = new_template()
    stack.layer("Words", {"words.txt": "from the build"})
    environment = {"Variables": {"WORDS": "/opt/words.txt"}}
    stack.function("Reader", READS, Layers=[stack.ref("Words")], Environment=environment, Timeout=20)
    found = start(stack)
    found.build = stack.folder
    return found


def zipped(files: Mapping[str, str]) -> bytes:
    """A zip of text files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def publish(box: Any, text: str) -> str:
    """Another version of the Lambda layer; the answer is its ARN."""
    content = {"ZipFile": zipped({"words.txt": text})}
    answer = box.sandbox.client("lambda").publish_layer_version(LayerName="Words", Content=content)
    return str(answer["LayerVersionArn"])


def run(box: Any, event: Mapping[str, Any] | None = None) -> Any:
    """Invoke the function and wait."""
    answer = box.sandbox.client("lambda").invoke(FunctionName=name_of(box), Payload=json.dumps(event or {}))
    return json.loads(answer["Payload"].read())


def name_of(box: Any) -> str:
    """The function."""
    return str(box.sandbox.deployment.resources["Reader"].physical_id)


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder."""
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_next_invocation_sees_the_new_layer_version_when_the_function_is_given_it(box: Any) -> None:
    before, client = fingerprint(box.build), box.sandbox.client("lambda")
    old_layers = client.get_function_configuration(FunctionName=name_of(box))["Layers"]
    assert run(box)["text"] == "from the build"

    arn = publish(box, "published")
    assert run(box)["text"] == "from the build"  # to publish changes no function
    client.update_function_configuration(FunctionName=name_of(box), Layers=[arn])

    assert run(box)["text"] == "published"
    client.update_function_configuration(FunctionName=name_of(box), Layers=[old_layers[0]["Arn"]])
    assert run(box)["text"] == "from the build"
    assert fingerprint(box.build) == before


def test_invocation_under_way_ends_in_its_old_worker_when_the_layer_is_replaced(
    box: Any, tmp_path: Path, wait_until: Callable[[Callable[[], object]], None]
) -> None:
    begun, go_on = tmp_path / "begun", tmp_path / "go-on"
    answers: list[Any] = []
    event = {"begun": str(begun), "wait_for": str(go_on)}
    run(box)
    expected = run(box)["text"]
    thread = threading.Thread(target=lambda: answers.append(run(box, event)))
    thread.start()
    wait_until(begun.exists)
    old_workers = set(box.sandbox.engine.invocations.pids)

    box.sandbox.client("lambda").update_function_configuration(
        FunctionName=name_of(box), Layers=[publish(box, "while running")]
    )

    assert run(box)["text"] == "while running"
    go_on.touch()
    thread.join(10)
    assert [answer["text"] for answer in answers] == [expected]
    wait_until(lambda: old_workers.isdisjoint(box.sandbox.engine.invocations.pids))


def test_code_and_variables_are_replaced_when_updated(box: Any) -> None:
    client = box.sandbox.client("lambda")
    variables = {"WORDS": "/opt/words.txt", "GREETING": "hello"}

    client.update_function_configuration(FunctionName=name_of(box), Environment={"Variables": variables})
    assert run(box)["greeting"] == "hello"
    code = "def lambda_handler(event, context):\n    return {'version': 2}\n"
    client.update_function_code(FunctionName=name_of(box), ZipFile=zipped({"app.py": code}))

    assert run(box) == {"version": 2}


def test_what_is_stored_last_is_what_runs_when_two_configure_the_function_at_once(box: Any, tmp_path: Path) -> None:
    gateway, second_is_stored = MotoGateway(), threading.Event()
    redeployment = Redeployment(box.sandbox.engine, [box.sandbox.deployment], tmp_path)

    def configure(greeting: str, after: Callable[[], object]) -> None:
        variables = {"WORDS": "/opt/words.txt", "GREETING": greeting}
        request = HttpRequest(
            "PUT",
            f"/2015-03-31/functions/{name_of(box)}/configuration",
            {"authorization": "AWS4-HMAC-SHA256 Credential=111122223333/20300101/us-east-1/lambda/aws4_request"},
            json.dumps({"Environment": {"Variables": variables}}).encode(),
        )

        def store() -> HttpAnswer:
            answer = gateway.answer(request, read_call(request, "us-east-1"), "111122223333")
            after()
            return answer

        assert redeployment.answer(request, read_call(request, "us-east-1"), store).status == 200

    second = threading.Thread(target=configure, args=("second", second_is_stored.set))

    def start_the_second() -> None:
        second.start()
        second_is_stored.wait(0.2)
        second.join(0.2)

    configure("first", start_the_second)
    second.join(10)

    told = box.sandbox.client("lambda").get_function_configuration(FunctionName=name_of(box))
    assert told["Environment"]["Variables"]["GREETING"] == "second"
    assert box.sandbox.engine.wiring.function(box.arn("Reader")).environment["GREETING"] == "second"


def test_nothing_is_left_unpacked_when_no_function_runs_it(box: Any) -> None:
    folder = box.build.parent / "data" / "redeployed"
    before = sorted(folder.glob("*"))
    client = box.sandbox.client("lambda")

    with pytest.raises(ClientError, match="ResourceNotFound"):
        client.update_function_code(FunctionName="nobody", ZipFile=zipped({"app.py": ""}))
    client.update_function_code(FunctionName=name_of(box), ZipFile=zipped({"app.py": ""}), DryRun=True)

    assert sorted(folder.glob("*")) == before


@pytest.mark.parametrize(
    ("operation", "arguments", "sentence"),
    [
        ("publish_layer_version", {"LayerName": "Words", "Content": {"ZipFile": b"no zip"}}, "Could not unzip"),
        (
            "publish_layer_version",
            {"LayerName": "Words", "Content": {"S3Bucket": "bucket", "S3Key": "k"}},
            "not one in S3",
        ),
        (
            "publish_layer_version",
            {"LayerName": "Words", "Content": {"ZipFile": zipped({"../x": ""})}},
            "outside of it",
        ),
        (
            "update_function_configuration",
            {"Layers": ["arn:aws:lambda:us-east-1:111122223333:layer:x:1"]},
            "does not exist",
        ),
        ("update_function_configuration", {"Runtime": "python3.12"}, "under the interpreter it has"),
        (
            "update_function_configuration",
            {"Role": "arn:aws:iam::111122223333:role/nobody"},
            "cannot be assumed by Lambda",
        ),
    ],
)
def test_redeployment_is_refused_when_lambda_would_not_take_it(
    box: Any, operation: str, arguments: dict[str, Any], sentence: str
) -> None:
    client = box.sandbox.client("lambda")
    names = {} if operation == "publish_layer_version" else {"FunctionName": name_of(box)}

    with pytest.raises(ClientError, match=sentence) as refused:
        getattr(client, operation)(**names, **arguments)

    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
