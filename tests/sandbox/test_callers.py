"""Attacks H6: what a web page can send to a sandbox on the same machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.control_client import ControlClient, ControlError
from ecr_steward_sandbox.control_token import ControlToken
from ecr_steward_sandbox.server import is_endpoint

CODE = "/2015-03-31/functions/SeesClock/code"
PATHS = [
    ("POST", "/_sandbox/clock"),
    ("GET", "/_sandbox/requests"),
    ("POST", "/2015-03-31/functions/SeesClock/invocations"),
    ("PUT", CODE),
    ("GET", "/v2/"),
    ("POST", "/"),
]


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    stack = new_template()
    stack.function("Sees", "def lambda_handler(event, context): pass")
    return start(stack)


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example", "Content-Type": "text/plain"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
    ids=["rebound name", "foreign origin", "cross-site"],
)
def test_a_web_page_drives_nothing_H6(box: Any, method: str, path: str, headers: dict[str, str], status: int) -> None:
    signed = "?X-Amz-Credential=111122223333/20261116/us-east-1/lambda/aws4_request"
    found, answer = box.http(method, path + signed, b'{"move": "1h"}', headers)
    assert found == status
    assert answer["error"] == answer["message"] == answer["errors"][0]["message"]
    assert "Host" not in headers or "--public-host" in answer["message"]


@pytest.mark.parametrize(
    "name", ["sqs.us-east-1.amazonaws.com", "sts.amazonaws.com", "events.us-gov-west-1.amazonaws.com"]
)
def test_an_endpoint_of_aws_is_known_by_its_name_H6(name: str) -> None:
    assert is_endpoint(name)


@pytest.mark.parametrize(
    "name",
    [
        "bucket.s3.amazonaws.com",
        "bucket.s3.us-east-1.amazonaws.com",
        "evil-123.us-east-1.elb.amazonaws.com",
        "x.execute-api.us-east-1.amazonaws.com",
        "ec2-1-2-3-4.compute-1.amazonaws.com",
        "sqs.us-east-1.amazonaws.com.evil.example",
        "amazonaws.com",
    ],
)
def test_no_endpoint_of_aws_is_known_by_a_name_that_a_customer_may_own_H6(name: str) -> None:
    assert not is_endpoint(name)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "clock"),
        ("POST", "faults"),
        ("POST", "faults/release"),
        ("DELETE", "faults"),
        ("POST", "scans"),
        ("POST", "trail"),
        ("POST", "events"),
        ("POST", "schedules/x"),
    ],
)
@pytest.mark.parametrize("given", [{"X-Sandbox-Token": "wrong"}, {"Accept": "*/*"}], ids=["wrong token", "no token"])
def test_nothing_changes_below_sandbox_without_the_token_of_this_start_H6(
    box: Any, method: str, path: str, given: dict[str, str]
) -> None:
    status, answer = box.http(method, f"/_sandbox/{path}", b"{}", given)
    assert status == 403
    assert f"curl -H @{box.sandbox.control_token.file}" in answer["error"]


def test_the_command_finds_the_token_by_itself_and_only_its_user_can_read_it_H6(box: Any) -> None:
    token = box.sandbox.control_token
    assert token.file.stat().st_mode & 0o777 == 0o600
    assert token.value not in repr(token)
    assert box.http("GET", "/_sandbox/", headers={})[1]["token_file"] == str(token.file)
    assert ControlClient(box.sandbox.endpoint_url).post("trail", {"enabled": True})["enabled"] is True


def test_a_token_is_of_one_start_H6(tmp_path: Path) -> None:
    first, second = ControlToken.write(tmp_path), ControlToken.write(tmp_path)
    assert not second.is_in(first.value)
    assert ControlToken.read(second.file) == second


def test_the_command_sends_no_other_file_that_a_server_names_H6(
    box: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What answers at the endpoint must not be sent what this user can read."""
    secret = tmp_path / "credentials"
    secret.write_text("aws_secret_access_key = canary\n")
    monkeypatch.setattr(box.sandbox, "control_token", ControlToken(secret, ""))
    with pytest.raises(ControlError, match="holds no token of a sandbox"):
        ControlClient(box.sandbox.endpoint_url).post("trail", {"enabled": True})
    secret.unlink()
    with pytest.raises(ControlError, match="only the user who started the sandbox"):
        ControlClient(box.sandbox.endpoint_url).post("trail", {"enabled": True})
