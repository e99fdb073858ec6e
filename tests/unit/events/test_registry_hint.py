"""What announces that a whole registry was set otherwise."""

from pathlib import Path

import pytest
import yaml

from ecr_steward.domain.callers import Caller
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.observations import RegistryChanged, RepositoryChanged
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.registry_hint import REGISTRY_OPERATIONS, read_change

REGISTRY = RegistryRef("111122223333", "us-east-1")
ALICE = Caller("arn:aws:sts::111122223333:assumed-role/developer/alice", "arn:aws:iam::111122223333:role/developer")
TEMPLATE = Path(__file__).parents[3] / "template.yaml"


@pytest.mark.parametrize(
    ("sample", "operation"),
    [
        ("put_registry_policy", "PutRegistryPolicy"),
        ("put_replication_configuration", "PutReplicationConfiguration"),
        ("update_repository_creation_template", "UpdateRepositoryCreationTemplate"),
    ],
)
def test_the_registry_and_the_caller_are_named_when_a_call_was_about_no_repository(load_event, sample, operation):
    change = read_change(load_event(f"aws_api_call_via_cloudtrail/{sample}"))

    assert change == RegistryChanged(REGISTRY, operation, ALICE)


@pytest.mark.parametrize("operation", sorted(REGISTRY_OPERATIONS))
def test_every_call_about_a_registry_is_understood_when_its_parameters_are_missing(load_event, operation):
    event = load_event("aws_api_call_via_cloudtrail/put_registry_policy")
    event["detail"] |= {"eventName": operation, "requestParameters": None}

    assert read_change(event) == RegistryChanged(REGISTRY, operation, ALICE)


def test_nothing_changed_when_the_call_failed(load_event):
    event = load_event("aws_api_call_via_cloudtrail/put_registry_policy")
    event["detail"]["errorCode"] = "InvalidParameterException"

    with pytest.raises(MalformedEventError, match="failed with InvalidParameterException and so changed nothing"):
        read_change(event)


def test_the_repository_is_named_when_the_event_is_about_one(load_event):
    change = read_change(load_event("aws_api_call_via_cloudtrail/set_repository_policy"))

    assert change == RepositoryChanged(RepositoryRef(REGISTRY, "team-a/api"), "SetRepositoryPolicy", ALICE)


@pytest.mark.parametrize("event", [None, [], {}, {"detail": None}, {"detail": {"eventName": ["PutRegistryPolicy"]}}])
def test_the_event_is_malformed_when_it_is_none(event):
    with pytest.raises(MalformedEventError):
        read_change(event)


class CloudFormationLoader(yaml.SafeLoader):
    """Reads ``!Ref`` and its kin as what they hold."""


CloudFormationLoader.add_multi_constructor("!", lambda loader, suffix, node: f"!{suffix}")


def test_the_template_lets_the_same_calls_through_when_a_trail_logs_them():
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), CloudFormationLoader)  # noqa: S506 - a safe loader
    events = template["Resources"]["ApplyRepositoryPoliciesFunction"]["Properties"]["Events"]

    alternatives = events["Changed"]["Properties"]["Pattern"]["$or"]
    heard = [each.get("detail", {}) for each in alternatives if isinstance(each, dict)]
    let_through = next(each["eventName"] for each in heard if "PutRegistryPolicy" in each.get("eventName", ()))

    assert set(let_through) == REGISTRY_OPERATIONS
