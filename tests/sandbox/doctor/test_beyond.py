"""What doctor reads around a stack, in ways that the deployed house has not: a bucket, a trust, a dead network."""

import json
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from moto.cloudformation.models import cloudformation_backends

from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.state_rulebook import StateRulebook
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.ports.rulebook import CompiledRulebook
from ecr_steward.rulebook.load import dump_compiled
from ecr_steward.rulebook.validate import validate
from ecr_steward_cli.caller import Caller
from ecr_steward_cli.doctor.around.outside import read_registries
from ecr_steward_cli.doctor.around.rulebook import read_rulebook
from ecr_steward_cli.doctor.asking import Asker
from ecr_steward_cli.doctor.documented import policy
from ecr_steward_cli.doctor.findings import Status, Unread
from ecr_steward_cli.doctor.parts.part import Part
from ecr_steward_sandbox.accounts import SPOKE_STACK, SPOKE_TEMPLATE
from tests.sandbox.doctor.conftest import HUB, REGION, SECRET, SPOKE, WHOLE, House, user_with

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("doctor")]

KEY = "ecr-steward/rulebook.json"
RULES = {
    "version": 1,
    "rules": [{"name": "all", "match": {"repositories": ["**"]}, "image_tags": {"allow": ["semver"]}}],
}


def compiled(**changes: Any) -> bytes:
    rulebook, problems = validate(RULES)
    assert rulebook is not None, problems
    return json.dumps(json.loads(dump_compiled(rulebook, "rules.yaml", b"")) | changes).encode()


# ---------------------------------------------------------------- a rulebook in a bucket


@pytest.fixture
def bucket(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Functions whose rulebook lies in a bucket, and an operator who may what the docs say."""
    s3, name = house.client("s3"), f"rules-{uuid4().hex[:8]}"
    s3.create_bucket(Bucket=name)
    environment = {**house.properties("EnforceImageTagsFunction")["Environment"]["Variables"]}
    environment |= {"ECR_STEWARD_RULEBOOK_BUCKET": name, "ECR_STEWARD_RULEBOOK_KEY": KEY}
    function = Part(
        "Function", "AWS::Lambda::Function", "f", {"Environment": {"Variables": environment}}, {"Layers": []}
    )
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.sandbox.endpoint_url)
    with user_with(house, policy()) as credentials:
        for one, value in credentials.items():
            monkeypatch.setenv(one, value)
        caller = Caller(REGION)
        place = f"s3://{name}/{KEY}"
        yield SimpleNamespace(
            read=lambda: read_rulebook(Asker(caller), (function,)),
            put=lambda text: s3.put_object(Bucket=name, Key=KEY, Body=text),
            place=place,
            keep=lambda text: _keep(house, place, text, monkeypatch),
        )


def _keep(house: House, place: str, text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", HUB)
        clients = Caller(REGION).clients
        StateRulebook(StateTable(clients, house.named("StateTable"), utc_now), place).keep(
            CompiledRulebook(text, "one")
        )


def test_the_rulebook_of_a_bucket_is_in_force_when_it_validates(bucket: SimpleNamespace) -> None:
    bucket.put(compiled())
    found = bucket.read()
    assert (found.place, found.refused) == (bucket.place, "")
    assert [rule.name for rule in found.rules.rules] == ["all"]


def test_the_last_good_rulebook_is_in_force_when_the_one_of_the_bucket_is_refused(bucket: SimpleNamespace) -> None:
    bucket.put(compiled(format=99))
    bucket.keep(compiled())
    found = bucket.read()
    assert "no compiled rulebook of format" in found.refused
    assert [rule.name for rule in found.rules.rules] == ["all"]


@pytest.mark.parametrize("text", [b"no JSON", None])
def test_no_rulebook_is_in_force_when_none_was_ever_good(bucket: SimpleNamespace, text: bytes | None) -> None:
    if text is not None:
        bucket.put(text)
    found = bucket.read()
    assert (found.rules, bool(found.refused)) == (None, True)


# ---------------------------------------------------------------- beyond the account


def test_the_role_of_a_connected_account_is_ok_when_its_trust_lets_the_operator_in(house: House) -> None:
    iam = house.sandbox.client("iam", account=SPOKE)
    role = iam.get_role(RoleName="ecr-steward-spoke")["Role"]
    trust = role["AssumeRolePolicyDocument"]
    operator = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HUB}:root"}, "Action": "sts:AssumeRole"}
    opened = json.dumps({**trust, "Statement": [*trust["Statement"], operator]})
    iam.update_assume_role_policy(RoleName="ecr-steward-spoke", PolicyDocument=opened)
    with user_with(house, policy()) as credentials:
        found = house.not_ok(**credentials)
    iam.update_assume_role_policy(RoleName="ecr-steward-spoke", PolicyDocument=json.dumps(trust))
    assert found == set()


def test_a_login_is_missed_when_its_secret_is_gone(house: House) -> None:
    client = house.client("secretsmanager")
    before = client.get_secret_value(SecretId=SECRET)
    client.delete_secret(SecretId=SECRET, ForceDeleteWithoutRecovery=True)
    with user_with(house, policy()) as credentials:
        found = house.not_ok(**credentials)
    client.create_secret(Name=SECRET, SecretString=before["SecretString"], ClientRequestToken=before["VersionId"])
    assert found == WHOLE | {("login-published", SECRET, Status.PROBLEM)}


def test_a_service_is_the_problem_and_its_parts_are_not_looked_at_when_it_does_not_answer(house: House) -> None:
    found = house.not_ok(AWS_ENDPOINT_URL_SCHEDULER=f"http://127.0.0.1:{_closed_port()}")
    schedules = {"ReconcileRegistryFunctionSweep", "RefreshCredentialsFunctionRefresh", "SelfCheckSchedule"}
    assert found == WHOLE | {
        ("endpoint-reachable", "scheduler", Status.PROBLEM),
        *(("schedule-exists", schedule, Status.NOT_LOOKED_AT) for schedule in schedules),
        *((check, "", Status.NOT_LOOKED_AT) for check in ("schedule-enabled", "schedule-time", "schedule-target")),
    }


def test_a_registry_that_is_not_ecr_answers_or_is_named(house: House) -> None:
    there = house.sandbox.registry_url(REGION).partition("://")[2]
    nowhere = f"127.0.0.1:{_closed_port()}"
    assert read_registries({"ECR_STEWARD_OTHER_REGISTRIES": f"{there},{nowhere}"}) == {
        there: "",
        nowhere: "NewConnectionError",
    }


def test_what_no_reader_can_understand_is_unread(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", house.sandbox.endpoint_url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    lacking = {"ECR_STEWARD_RULEBOOK": "/opt/rulebook.json"}
    function = Part("Function", "AWS::Lambda::Function", "f", {"Environment": {"Variables": lacking}}, {"Layers": []})
    found = read_rulebook(Asker(Caller(REGION)), (function,))
    assert found == Unread("the template gives its functions no POWERTOOLS_SERVICE_NAME")


def _closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    return port


def test_the_stack_of_a_connected_account_is_whole_and_its_own_text_says_so(house: House) -> None:
    """moto has the stack's template as JSON, AWS the text of spoke.yaml."""
    found = house.not_ok(stack=SPOKE_STACK, AWS_ACCESS_KEY_ID=SPOKE)
    stack = next(one for one in cloudformation_backends[SPOKE][REGION].stacks.values() if one.name == SPOKE_STACK)
    before, stack.template = stack.template, SPOKE_TEMPLATE.read_text(encoding="utf-8")
    again = house.not_ok(stack=SPOKE_STACK, AWS_ACCESS_KEY_ID=SPOKE)
    stack.template = before
    assert (found, again) == (set(), set())
