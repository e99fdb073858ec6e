"""``ecr-steward doctor`` as people and programs run it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from moto.cloudformation.models import cloudformation_backends
from typer.testing import CliRunner

from ecr_steward_cli.app import app
from ecr_steward_cli.doctor.documented import ALL_ACTIONS, policy
from ecr_steward_cli.doctor.findings import Status
from tests.sandbox.doctor.broken.of_queues import dead_letter
from tests.sandbox.doctor.conftest import HUB, OPERATOR, REGION, STACK, WHOLE, House, user_with

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("doctor")]

SELDOM = {"dynamodb:GetItem", "dynamodb:Query", "s3:GetObject", "secretsmanager:DescribeSecret"}
"""Asked only where the rulebook lies in a bucket, and where a secret holds nothing."""


@pytest.fixture
def cli(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command as the root of the account; what it printed and how it ended."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.sandbox.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)

    def run(*arguments: str) -> SimpleNamespace:
        done = CliRunner().invoke(app, ["doctor", *arguments])
        return SimpleNamespace(code=done.exit_code, out=done.stdout, err=done.stderr)

    return run


def only(prefix: str) -> str:
    """The documented policy with the actions of one service alone."""
    document = json.loads(policy())
    for statement in document["Statement"]:
        listed = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [action for action in listed if action.startswith(prefix)]
    document["Statement"] = [statement for statement in document["Statement"] if statement["Action"]]
    return json.dumps(document)


def test_a_whole_stack_ends_with_0_and_counts_what_is_ok(cli: Any) -> None:
    done = cli()
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == f"stack {STACK} in {REGION} of {HUB}"
    assert done.out.splitlines()[-1].endswith(" ok, 0 wrong, 1 not looked at")


def test_a_problem_ends_with_1_and_says_what_to_do_when_it_is_printed_or_read_by_a_program(
    cli: Any, house: House
) -> None:
    with dead_letter(house):
        shown, read = cli(), cli("--json")
    assert (shown.code, read.code) == (1, 1)
    document = json.loads(read.out)
    (found,) = [one for one in document["findings"] if one["status"] == "problem"]
    assert (document["schema_version"], document["problems"], document["not_looked_at"]) == (1, 1, 1)
    assert (found["check"], found["subject"]) == ("queue-dead-letters", "FailureQueue")
    line, below = _two(shown.out)
    assert "queue-dead-letters" in line and found["message"] in line
    assert below.strip() == found["do"]


def _two(text: str) -> tuple[str, str]:
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.lstrip().startswith("problem"))
    return lines[at], lines[at + 1]


def test_a_stack_that_is_not_there_is_the_one_problem(cli: Any) -> None:
    done = cli("--stack-name", "another", "--json")
    assert done.code == 1
    (found,) = json.loads(done.out)["findings"]
    assert (found["check"], found["status"], found["subject"]) == ("stack-exists", "problem", "another")


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_a_stack_that_was_never_complete_is_the_one_problem(house: House, status: str) -> None:
    stack = next(one for one in cloudformation_backends[HUB][REGION].stacks.values() if one.name == STACK)
    before, stack.status = stack.status, status
    found = house.not_ok()
    stack.status = before
    assert found == {("stack-complete", STACK, Status.PROBLEM)}


def test_the_documented_policy_is_enough_and_nothing_of_it_is_left_over(house: House) -> None:
    with user_with(house, policy()) as credentials:
        house.sandbox.local_ecr.decisions.clear()
        found = house.not_ok(**credentials)
        asked = {one.action for one in house.sandbox.decisions if one.principal.endswith(f"user/{OPERATOR}")}
    assert found == WHOLE
    assert asked == ALL_ACTIONS - SELDOM


def test_what_is_denied_is_not_looked_at_and_named_when_the_stack_alone_may_be_read(house: House) -> None:
    with user_with(house, only("cloudformation:")) as credentials:
        findings = house.findings(**credentials)
    unread = [one for one in findings if one.status is Status.NOT_LOOKED_AT]
    assert not [one for one in findings if one.status is Status.PROBLEM]
    assert {one.check for one in unread} >= {"rule-exists", "queue-exists", "function-exists", "role-exists"}
    for one in unread:
        assert any(action in one.message for action in ALL_ACTIONS), one
        assert one.do, one


def test_doctor_refuses_when_the_stack_may_not_be_read(cli: Any, house: House, monkeypatch: Any) -> None:
    with user_with(house, only("sqs:")) as credentials:
        for name, value in credentials.items():
            monkeypatch.setenv(name, value)
        done = cli()
    assert done.code == 1
    assert "cloudformation:DescribeStacks is denied" in done.err


def test_a_line_is_there_for_each_check_of_the_docs(cli: Any) -> None:
    page = (Path(__file__).parents[3] / "docs" / "deploy" / "doctor.md").read_text(encoding="utf-8")
    documented = [
        line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and "-" in line.split("`")[1]
    ]
    assert [one["check"] for one in json.loads(cli("--json").out)["findings"]] == documented
