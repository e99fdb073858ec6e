"""``ecr-steward test --init``: a case from a real event, which expects what the rulebook would do today."""

import io
from typing import Any

from ruamel.yaml import YAML

from ecr_steward_cli.testing.model import NONE, snake_case
from ecr_steward_cli.testing.running import Found
from ecr_steward_cli.testing.world import Told


def given_of(told: Told) -> dict[str, Any]:
    """What an event says, as a case has it."""
    registry = told.repository.registry
    given: dict[str, Any] = {
        "repository": told.repository.name,
        "account": registry.account,
        "region": registry.region,
    }
    if told.push is not None:
        given["settings"] = "as_ruled"
        image: dict[str, Any] = {"digest": told.push.image.digest.value}
        given["images"] = [{"tags": [str(told.push.image_tag)], **image} if told.push.image_tag else image]
    return given


def expectation_of(found: Found) -> dict[str, Any]:
    """What the rules make of it, as a case expects it."""
    names = found.governing.names
    expect: dict[str, Any] = {"rule": names[0] if names else NONE}
    if len(names) > 1:
        expect["rules"] = list(names)
    if modes := sorted(found.modes):
        expect |= {"mode": modes[0]} if len(modes) == 1 else {}
    steps = []
    for step in found.steps:
        said = {"step": snake_case(type(step).__name__), "rule": step.rule}
        if (image_tag := getattr(step, "image_tag", None)) is not None:
            said["image_tag"] = str(image_tag)
        steps.append(said)
    expect["steps"] = steps
    expect["violations"] = list(found.violations)
    if found.copies:
        expect["copies"] = found.copies
    if found.verdict != NONE:
        expect["verdict"] = found.verdict
    return expect


def case_text(name: str, given: dict[str, Any], expect: dict[str, Any], rulebook: str | None) -> str:
    """A whole file with one case."""
    document: dict[str, Any] = {"version": 1}
    if rulebook is not None:
        document["rulebook"] = rulebook
    document["cases"] = [{"name": name, "given": given, "expect": expect}]
    yaml = YAML(typ="rt", pure=True)
    yaml.default_flow_style = False
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 120
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()
