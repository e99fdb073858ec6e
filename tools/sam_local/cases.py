"""Which function is invoked with which sample event, and what must come of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sam_local.effects import (
    Effect,
    aliases_follow,
    all_is_reconciled,
    event_is_kept,
    image_is_quarantined,
    nothing_changes,
    replica_is_complete,
    replica_is_complete_and_poison_kept,
    settings_follow,
)
from sandbox.delivery.patterns import Pattern

EVENTS = Path(__file__).parents[2] / "events"


@dataclass(frozen=True)
class Case:
    """One invocation: a function by the logical id in the template, a file below ``events/``, and its effect."""

    function: str
    event: str
    effect: Effect

    def load(self) -> Any:
        return json.loads((EVENTS / f"{self.event}.json").read_text(encoding="utf-8"))


CASES = (
    Case("EnforceImageTagsFunction", "ecr_image_action/push_tagged", aliases_follow),
    Case("EnforceImageTagsFunction", "ecr_image_action/push_index", aliases_follow),
    Case("EnforceImageTagsFunction", "ecr_image_action/push_denied_tag", image_is_quarantined),
    Case("EnforceImageTagsFunction", "ecr_image_action/push_untagged", nothing_changes),
    Case("EnforceImageTagsFunction", "ecr_image_action/push_without_tag", nothing_changes),
    Case("EnforceImageTagsFunction", "ecr_image_action/malformed", event_is_kept),
    Case("ApplyRepositoryPoliciesFunction", "ecr_image_action/push_tagged", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "ecr_image_action/push_index", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "ecr_image_action/push_denied_tag", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "ecr_image_action/push_untagged", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "ecr_image_action/push_without_tag", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "ecr_image_action/malformed", event_is_kept),
    Case("ApplyRepositoryPoliciesFunction", "aws_api_call_via_cloudtrail/create_repository", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "aws_api_call_via_cloudtrail/delete_lifecycle_policy", settings_follow),
    Case("ApplyRepositoryPoliciesFunction", "aws_api_call_via_cloudtrail/tag_resource", settings_follow),
    Case("ReplicateImageFunction", "sqs_batch/copy_job_from_push", replica_is_complete),
    Case("ReplicateImageFunction", "sqs_batch/copy_job_from_sweep", replica_is_complete),
    Case("ReplicateImageFunction", "sqs_batch/poison_and_good", replica_is_complete_and_poison_kept),
    Case("ReconcileRegistryFunction", "schedule/sweep", all_is_reconciled),
)


def wired_pairs(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each function and each sample event that the template's rules, queues and schedules bring to it.

    ``template`` is plain CloudFormation, as aws-sam-translator writes it.
    """
    resources: Mapping[str, Mapping[str, Any]] = template["Resources"]
    functions = {id_ for id_, each in resources.items() if each["Type"] == "AWS::Lambda::Function"}
    for each in resources.values():
        properties = each.get("Properties", {})
        match each["Type"]:
            case "AWS::Events::Rule":
                events = list(_matching(Pattern.parse(properties["EventPattern"])))
                for function in functions & {_logical_id(target["Arn"]) for target in properties["Targets"]}:
                    yield from ((function, event) for event in events)
            case "AWS::Lambda::EventSourceMapping":
                yield from ((_logical_id(properties["FunctionName"]), event) for event in _in_folder("sqs_batch"))
            case "AWS::Scheduler::Schedule":
                yield from ((_logical_id(properties["Target"]["Arn"]), event) for event in _in_folder("schedule"))


def _matching(pattern: Pattern) -> Iterator[str]:
    for folder in sorted(EVENTS.iterdir()):
        for event in _in_folder(folder.name):
            document = json.loads((EVENTS / f"{event}.json").read_text(encoding="utf-8"))
            if isinstance(document, dict) and "detail-type" in document and pattern.matches(document):
                yield event


def _in_folder(folder: str) -> list[str]:
    return [f"{folder}/{file.stem}" for file in sorted((EVENTS / folder).glob("*.json"))]


def _logical_id(reference: Any) -> str:
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    return ""  # an address outside the template
