"""docs/deploy/doctor.md says what the code does."""

import json
from pathlib import Path

from ecr_steward_cli.doctor.asking import ACTIONS
from ecr_steward_cli.doctor.documented import check_tables, policy

PAGE = Path(__file__).parents[4] / "docs" / "deploy" / "doctor.md"


def between(name: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(f"<!-- {name} -->\n")[2].partition(f"<!-- end of {name} -->")[0].strip()


def test_the_page_has_every_check_as_the_code_has_it():
    assert between("checks") == check_tables().strip()


def test_the_page_has_the_policy_of_the_calls_that_doctor_makes():
    assert between("policy").removeprefix("```json\n").removesuffix("\n```") == policy()


def test_the_policy_changes_nothing():
    allowed = {one for each in json.loads(policy())["Statement"] for one in each["Action"]} - {
        "dynamodb:Query",
        "inspector2:BatchGetAccountStatus",
        "sts:AssumeRole",
    }
    assert {
        one.partition(":")[2] for one in allowed if not one.partition(":")[2].startswith(("Describe", "Get", "List"))
    } == set()


def test_a_call_and_its_action_have_one_service():
    services = {call: call.partition(".")[0].replace("-", "") for call in ACTIONS}
    assert [call for call, action in ACTIONS.items() if services[call] != action.partition(":")[0]] == []
