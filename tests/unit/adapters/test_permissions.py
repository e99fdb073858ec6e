"""The IAM actions that the ports need are those that the template grants: none is missing, none is left over."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ecr_steward.ports import messages, registry

ROOT = Path(__file__).parents[3]
ACTION = re.compile(r"(ecr|events|dynamodb|sqs):([A-Z]\w+)")
PORTS = [
    port
    for module in (registry, messages)
    for _, port in inspect.getmembers(module, inspect.isclass)
    if port.__module__ == module.__name__
]


class CloudFormationLoader(yaml.SafeLoader):
    """Reads ``!Ref`` and its kin as what they hold."""


CloudFormationLoader.add_multi_constructor("!", lambda loader, suffix, node: f"!{suffix}")


def needed_by(documentation: str) -> set[str]:
    """The actions of a docstring: ``Needs ecr:A, ecr:B and sqs:C``; a bare name goes on with the service before it."""
    actions: set[str] = set()
    for sentence in re.findall(r"[Nn]eeds? ((?:.|\n)*?)(?:\.\s|\.$|$)", documentation):
        service = ""
        for word in re.findall(r"[\w:]+", sentence):
            if match := ACTION.fullmatch(word):
                service = match[1]
                actions.add(word)
            elif service and re.fullmatch(r"(Get|Put|Update|Delete)Item", word):
                actions.add(f"{service}:{word}")
    return actions


def granted() -> set[str]:
    """The actions that any function of the template may use."""
    template = yaml.load((ROOT / "template.yaml").read_text(encoding="utf-8"), CloudFormationLoader)  # noqa: S506
    functions = [each for each in template["Resources"].values() if each["Type"] == "AWS::Serverless::Function"]
    statements: list[dict[str, Any]] = [
        statement
        for function in functions
        for policy in function["Properties"].get("Policies", [])
        for statement in policy["Statement"]
    ]
    actions = [statement["Action"] for statement in statements]
    return {action for entry in actions for action in ([entry] if isinstance(entry, str) else entry)}


def needed() -> set[str]:
    """The actions that any port needs."""
    methods = [method for port in PORTS for _, method in inspect.getmembers(port, inspect.isfunction)]
    return set[str]().union(*(needed_by(inspect.getdoc(speaker) or "") for speaker in (*PORTS, *methods)))


@pytest.mark.parametrize(
    ("documentation", "actions"),
    [
        ("Read. Needs ecr:ListImages. Raises X.", {"ecr:ListImages"}),
        ("Needs ecr:One at the source;\n ecr:Two and\n ecr:Three there. More", {"ecr:One", "ecr:Two", "ecr:Three"}),
        ("Needs sqs:Send; dynamodb:PutItem and GetItem", {"sqs:Send", "dynamodb:PutItem", "dynamodb:GetItem"}),
        ("Every method needs ecr:GetAuthorizationToken.", {"ecr:GetAuthorizationToken"}),
        ("Says nothing.", set()),
    ],
)
def test_the_actions_of_a_docstring_are_read(documentation: str, actions: set[str]) -> None:
    assert needed_by(documentation) == actions


@pytest.mark.parametrize("port", PORTS, ids=lambda port: port.__name__)
def test_every_method_of_a_port_names_its_action(port: type) -> None:
    silent = [
        name
        for name, method in inspect.getmembers(port, inspect.isfunction)
        if not name.startswith("_") and not needed_by(inspect.getdoc(method) or "")
    ]

    assert silent == []


def test_the_template_grants_what_the_ports_need_and_nothing_else() -> None:
    others = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}  # of the event source mapping

    assert needed() - granted() == set()
    assert granted() - needed() - others == set()
