"""A template that the sandbox would not honour to the letter does not start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_sandbox.deploy import Aws, Deployment, deploy
from ecr_steward_sandbox.deploy.errors import (
    BuildError,
    TemplateError,
    UnknownPropertyError,
    UnknownTypeError,
)

pytestmark = pytest.mark.slow

Deploy = Callable[..., Deployment]


def test_start_stops_when_a_resource_type_is_invented(deploy_changed: Deploy, aws: Aws) -> None:
    def invent(template: dict[str, Any]) -> None:
        template["Resources"]["Whistle"] = {"Type": "AWS::Kettle::Whistle", "Properties": {"Pitch": "high"}}

    with pytest.raises(UnknownTypeError, match=r"Whistle: .* the resource type AWS::Kettle::Whistle"):
        deploy_changed(invent)

    assert "QueueUrls" not in aws.client("sqs").list_queues()


def test_start_stops_when_a_property_is_not_simulated(deploy_changed: Deploy, aws: Aws) -> None:
    def add(template: dict[str, Any]) -> None:
        template["Resources"]["FailureQueue"]["Properties"]["Colour"] = "red"

    with pytest.raises(UnknownPropertyError, match=r"FailureQueue \(AWS::SQS::Queue\): property Colour is neither"):
        deploy_changed(add)

    assert "QueueUrls" not in aws.client("sqs").list_queues()


def test_start_stops_when_sam_does_not_know_the_property(deploy_changed: Deploy) -> None:
    def misspell(template: dict[str, Any]) -> None:
        template["Resources"]["EnforceImageTagsFunction"]["Properties"]["TimeOut"] = 3

    with pytest.raises(TemplateError, match=r"EnforceImageTagsFunction.*TimeOut"):
        deploy_changed(misspell)


def test_start_stops_when_a_resource_attribute_is_not_simulated(deploy_changed: Deploy) -> None:
    def add(template: dict[str, Any]) -> None:
        template["Resources"]["FailureQueue"]["UpdatePolicy"] = {}

    with pytest.raises(TemplateError, match=r"FailureQueue \(AWS::SQS::Queue\): .*UpdatePolicy"):
        deploy_changed(add)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"Architectur": "arm64"}, "the template has no parameter Architectur; it has Architecture, "),
        ({"Architecture": "riscv64"}, "parameter Architecture: riscv64 is none of arm64, x86_64"),
        ({"ExternalId": "two words"}, "parameter ExternalId: 'two words' does not match "),
    ],
)
def test_start_stops_when_a_parameter_is_not_the_templates(
    deploy_changed: Deploy, parameters: dict[str, str], sentence: str
) -> None:
    with pytest.raises(TemplateError, match=sentence):
        deploy_changed(lambda _: None, **parameters)


def test_start_stops_when_a_parameter_has_no_value(deploy_changed: Deploy) -> None:
    def add(template: dict[str, Any]) -> None:
        template["Parameters"]["Owner"] = {"Type": "String"}

    with pytest.raises(TemplateError, match="parameter Owner has no value and no default"):
        deploy_changed(add)


def test_start_stops_when_nothing_is_built(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"template.yaml does not exist"):
        deploy(tmp_path, stack_name="ecr-steward", account="111122223333", region="us-east-1", parameters={})


def test_start_stops_when_an_artefact_is_missing(deploy_changed: Deploy) -> None:
    def move(template: dict[str, Any]) -> None:
        template["Resources"]["CoreLayer"]["Properties"]["ContentUri"] = "Elsewhere"

    with pytest.raises(BuildError, match="CoreLayer: ContentUri 'Elsewhere' is no folder"):
        deploy_changed(move)
