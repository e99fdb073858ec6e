"""Each real event: which rules let it through, and what the core makes of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ecr_steward.domain.names import ImageRef, RegistryRef
from ecr_steward.domain.observations import Push, RegistryChanged, RepositoryChanged, ScanEnded
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.envelope import parse
from ecr_steward.events.registry_hint import read_change
from ecr_steward.events.scan_event import read_scan_event
from ecr_steward.events.schedule import ScheduleEvent
from ecr_steward_sandbox.delivery.patterns import Pattern
from tests.corpus.files import copies, patterns_of_aws

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "events"
SCANS = ("ECR Image Scan", "Inspector2 Scan", "Inspector2 Finding")
PUSHES = ("ECR Image Action", "ECR Referrer Action")


@pytest.fixture(scope="module")
def rules() -> Mapping[str, list[Pattern]]:
    return {name: [Pattern.parse(one) for one in wanted] for name, wanted in patterns_of_aws().items()}


def said(observation: object) -> str:
    """What an event says, in a line."""
    match observation:
        case Push(image, image_tag, media_type):
            return f"Push {_image(image)} {image_tag or 'untagged'} {media_type or '-'}"
        case ScanEnded(image):
            return f"ScanEnded {_image(image)}"
        case RepositoryChanged(repository):
            return f"RepositoryChanged {_registry(repository.registry)}/{repository.name} {observation}"
        case RegistryChanged(registry):
            return f"RegistryChanged {_registry(registry)} {observation}"
        case ScheduleEvent():
            return f"ScheduleEvent {_registry(observation.registry)}"
    raise TypeError(observation)


def _registry(registry: RegistryRef) -> str:
    return f"{registry.account}/{registry.region}"


def _image(image: ImageRef) -> str:
    return f"{_registry(image.repository.registry)}/{image.repository.name}@{image.digest.value}"


def read(event: Any) -> list[str]:
    """What the core reads in an event, as the function does that gets it."""
    if event["detail-type"] in (*SCANS, *PUSHES):
        return [said(each) for each in read_scan_event(json.dumps(event))]
    if event["source"] == "aws.scheduler":
        return [said(parse(ScheduleEvent, event))]
    return [said(read_change(event))]


@pytest.mark.parametrize("copy", copies("events"), ids=str)
def test_exactly_these_rules_let_a_real_event_through_when_it_comes(copy, rules):
    event = copy.load()

    assert (
        sorted(name for name, wanted in rules.items() if any(each.matches(event) for each in wanted))
        == copy.about["rules"]
    )


@pytest.mark.parametrize("copy", [each for each in copies("events") if each.about["says"]], ids=str)
def test_a_real_event_is_read_as_it_is_meant_when_a_rule_lets_it_through(copy):
    assert read(copy.load()) == copy.about["says"]


@pytest.mark.parametrize("copy", [each for each in copies("events") if not each.about["says"]], ids=str)
def test_a_real_event_is_nothing_or_refused_when_no_rule_lets_it_through(copy):
    try:
        told = read(copy.load())
    except MalformedEventError:
        told = []
    assert told == []


def schemas() -> Mapping[str, Any]:
    return {
        schema["properties"]["detail-type"]["const"]: schema for schema in (each.load() for each in copies("schemas"))
    }


def events_with_a_schema() -> list[tuple[str, Any]]:
    """The corpus and our samples; a call is another matter, since the schema of it is that of one BatchGetImage."""
    real = [(f"corpus/{copy}", copy.load()) for copy in copies("events")]
    ours = [
        (f"events/{path.relative_to(SAMPLES).with_suffix('')}", json.loads(path.read_text(encoding="utf-8")))
        for path in sorted(SAMPLES.rglob("*.json"))
        if path.stem not in ("malformed", "unknown_action")
    ]
    known = set(schemas()) - {"AWS API Call via CloudTrail"}
    return [(name, event) for name, event in [*real, *ours] if event.get("detail-type") in known]


@pytest.mark.parametrize(("name", "event"), events_with_a_schema(), ids=[name for name, _ in events_with_a_schema()])
def test_an_event_is_as_the_schema_registry_says_when_it_has_a_schema_of_its_detail_type(name, event):
    jsonschema.validate(event, schemas()[event["detail-type"]])
