"""The templates without their rules' effect: only SAM's container can have done what is seen."""

import json
from pathlib import Path
from typing import Any

from ecr_steward_sandbox.deploy.translate import CODE_PROPERTIES, read_template


def quiet_build(build: Path, folder: Path) -> Path:
    """A build in which no event reaches a function or queue. Copy jobs that the sweep sends do run.

    It has a template of its own, which points to the artefacts where they are.
    """
    quiet = folder / "build"
    quiet.mkdir()
    document = _without_rules(build / "template.yaml")
    for resource in document["Resources"].values():
        if name := CODE_PROPERTIES.get(resource["Type"]):
            resource["Properties"][name] = str(build.resolve() / resource["Properties"][name])
    _write(document, quiet / "template.yaml")
    return quiet


def quiet_template(template: Path, folder: Path) -> Path:
    """A copy of a template that forwards no event."""
    return _write(_without_rules(template), folder / template.name)


def _without_rules(template: Path) -> dict[str, Any]:
    document = read_template(template)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Events::Rule":
            resource["Properties"]["State"] = "DISABLED"
    return document


def _write(document: dict[str, Any], file: Path) -> Path:
    file.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
    return file
