"""The IAM actions that the ports need are those that the templates grant: none is missing, none is left over."""

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any, is_protocol

import pytest
import yaml
from moto.iam.aws_managed_policies import aws_managed_policies_data

from ecr_steward import bootstrap, ports
from ecr_steward.ports.accounts import Announcements, ConnectedAccounts
from ecr_steward.ports.backfills import Backfills, StartedBackfills
from ecr_steward.ports.brakes import Brakes
from ecr_steward.ports.contents import Contents
from ecr_steward.ports.credentials import Logins, Secrets
from ecr_steward.ports.journal import Journal
from ecr_steward.ports.leases import Leases
from ecr_steward.ports.messages import FailureQueue, Hints, Notices, ReplicationQueue, SourceQueue, SweepQueue
from ecr_steward.ports.native_replication import NativeCopies
from ecr_steward.ports.own_tags import OwnTags
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.releases import Releases
from ecr_steward.ports.revisions import Revisions
from ecr_steward.ports.rule_sets import RuleSets
from ecr_steward.ports.rulebook import LastGoodRulebook, RulebookSource
from ecr_steward.ports.scans import Scans
from ecr_steward.ports.seen_settings import SeenSettings
from ecr_steward.ports.sightings import Sightings
from ecr_steward.ports.stores import ImageContent, ImageStore
from ecr_steward.ports.sweep_parts import SweepParts
from ecr_steward.ports.switch import Switch
from ecr_steward.ports.verdicts import Verdicts
from ecr_steward.ports.workloads import Workloads

ROOT = Path(__file__).parents[3]
ACTION = re.compile(r"(ecr|iam|inspector2|ecs|kms|lambda|events|dynamodb|sqs|s3|secretsmanager|sts):([A-Z]\w+)")
PORTS = [
    port
    for found in pkgutil.iter_modules(ports.__path__)
    if found.name != "clock"  # nobody needs to be allowed to know the time
    for module in [importlib.import_module(f"{ports.__name__}.{found.name}")]
    for _, port in inspect.getmembers(module, is_protocol)
    if port.__module__ == module.__name__
]


LAMBDAS_OWN = {"WriteLog", "TakeFromQueue", "SeeVpc", "LiveInVpc", "UseKey"}
"""What Lambda and KMS do as a function's role."""


class CloudFormationLoader(yaml.SafeLoader):
    """Reads ``!Ref`` and its kin by their names, and ``!If`` as what it is where its condition is met."""


CloudFormationLoader.add_multi_constructor("!", lambda loader, suffix, node: f"!{suffix}")
CloudFormationLoader.add_constructor("!If", lambda loader, node: loader.construct_sequence(node, deep=True)[1])


def needed_by(documentation: str) -> set[str]:
    """The actions of a docstring: ``Needs ecr:A, ecr:B and sqs:C``; a bare name goes on with the service before it."""
    actions: set[str] = set()
    for sentence in re.findall(r"[Nn]eeds?\s((?:.|\n)*?)(?:\.\s|\.$|$)", documentation):
        service = ""
        for word in re.findall(r"[\w:]+", sentence):
            if match := ACTION.fullmatch(word):
                service = match[1]
                actions.add(word)
            elif service and re.fullmatch(r"(Get|Put|Update|Delete)Item", word):
                actions.add(f"{service}:{word}")
    return actions


SETTINGS = [
    Registry.repository,
    Registry.resource_tags,
    Registry.set_repository_policy,
    Registry.delete_repository_policy,
    Registry.put_lifecycle_policy,
    Registry.delete_lifecycle_policy,
    Registry.put_tag_mutability,
    Registry.put_scan_on_push,
    Registry.add_resource_tags,
]
WHOLE_REGISTRIES = [
    method for name, method in inspect.getmembers(RegistrySettingsStore, inspect.isfunction) if not name.startswith("_")
]
VERDICTS = [Registry.images, Releases.of, Registry.children, Scans.scan]
WATCHING = [RuleSets.last, RuleSets.remember]
APPLYING = [
    Switch.paused,
    Brakes.spend,
    Brakes.holding,
    Brakes.hold,
    Brakes.tell,
    Journal.begin,
    Journal.end,
    Notices.publish,  # a brake holds
]
USES: dict[str, list[Callable[..., Any]]] = {
    "EnforceImageTagsFunction": [
        Registry.resource_tags,
        Registry.images,
        Releases.of,
        Registry.add_image_tag,
        Registry.remove_image_tag,
        Registry.children,
        ImageContent.store,
        ImageStore.manifest,
        ImageContent.labels,
        ImageStore.referrers,
        Sightings.restart,
        OwnTags.last,
        OwnTags.note,
        SeenSettings.last,
        Hints.pushed_to,
        ReplicationQueue.request,
        *APPLYING,
    ],
    "ApplyRepositoryPoliciesFunction": [
        *SETTINGS,
        Registry.images,  # what ECR would delete by a lifecycle policy
        Releases.of,
        *WHOLE_REGISTRIES,
        StartedBackfills.forget,
        Announcements.note,
        SeenSettings.last,
        SeenSettings.note,
        *WATCHING,
        *APPLYING,
    ],
    "EvaluateImageScanFunction": [
        Registry.resource_tags,
        *VERDICTS,
        Verdicts.hear,
        Notices.publish,
        SourceQueue.postpone,
        SourceQueue.send_again,
    ],
    "ReplicateImageFunction": [
        *SETTINGS,
        *VERDICTS,
        Registry.create_repository,
        Registry.add_image_tag,
        Registry.remove_image_tag,
        Registry.delete_image,
        ImageContent.store,
        ImageContent.elsewhere,
        ImageStore.manifest,
        ImageStore.has_blob,
        ImageStore.known_blobs,
        ImageStore.referrers,
        ImageStore.read_blob,
        ImageStore.write_blob,
        ImageStore.put_manifest,
        Leases.take,
        Leases.give_back,
        SeenSettings.last,
        SeenSettings.note,
        ReplicationQueue.request,
        SourceQueue.postpone,
        *APPLYING,
    ],
    "ReconcileRegistryFunction": [
        *SETTINGS,
        *WHOLE_REGISTRIES,
        *VERDICTS,
        Registry.repositories,
        Registry.described,
        Registry.with_registry_scanning,
        Registry.add_image_tag,
        Registry.remove_image_tag,
        Registry.delete_image,
        ImageContent.store,
        ImageContent.elsewhere,
        ImageStore.manifest,
        ImageContent.labels,
        ImageStore.has_blob,
        ImageStore.known_blobs,
        ImageStore.referrers,
        *WATCHING,
        Verdicts.known,
        Verdicts.keep,
        Contents.known,
        Contents.keep,
        Revisions.known,
        Revisions.keep,
        Sightings.seen,
        Sightings.keep,
        Sightings.forget,
        Workloads.run_by_ecs,
        Workloads.run_by_lambda,
        Workloads.counted_by_inspector,
        NativeCopies.of,
        Backfills.of,
        Backfills.start,
        Backfills.failed_images,
        StartedBackfills.of,
        StartedBackfills.keep,
        StartedBackfills.forget,
        ReplicationQueue.request,
        SweepQueue.put,
        SweepParts.under_way,
        SweepParts.begin,
        SweepParts.end,
        SourceQueue.postpone,
        *APPLYING,
    ],
    "RefreshCredentialsFunction": [
        Logins.fetch,
        Logins.may_pull,
        Logins.may_push,
        Secrets.read,
        Secrets.put,
        Secrets.create,
        Notices.publish,
    ],
}
"""Which methods of the ports each function's use case calls, beside what all of them call."""
EVERYWHERE = [
    RulebookSource.read,
    LastGoodRulebook.get,
    LastGoodRulebook.keep,
    FailureQueue.put,
    ConnectedAccounts.all,
    ConnectedAccounts.include,
    Announcements.noted,
]
"""And they act in connected accounts."""
BY_PEOPLE = {
    Switch.pause,
    Switch.resume,
    Brakes.holds,
    Brakes.release,
    Journal.entry,
    Journal.entries,
    Releases.give,
    Releases.end,
    ImageStore.image_tags,
    ImageStore.digest_of,
    Announcements.forget,
}
"""What only commands call, with the rights of whoever types them."""

ASK_NOTHING = {ImageContent.for_job}
"""What makes one thing of another, and calls nobody."""


def actions_of(statements: Iterable[dict[str, Any]]) -> set[str]:
    """The actions that these statements allow where each condition of the template is met."""
    met = [statement["Fn::If"][1] if "Fn::If" in statement else statement for statement in statements]
    actions = [statement["Action"] for statement in met]
    return {action for entry in actions for action in ([entry] if isinstance(entry, str) else entry)}


@cache
def resources(template: str) -> dict[str, dict[str, Any]]:
    """The properties of a template's resources, by logical id."""
    document = yaml.load((ROOT / template).read_text(encoding="utf-8"), CloudFormationLoader)  # noqa: S506
    return {name: {"Type": each["Type"], **each.get("Properties", {})} for name, each in document["Resources"].items()}


def granted() -> dict[str, set[str]]:
    """The actions that each function of the template may use, but for what Lambda does as its role."""
    functions = [
        name for name, each in resources("template.yaml").items() if each["Type"] == "AWS::Serverless::Function"
    ]
    return {function: granted_to_role("template.yaml", f"{function}Role") for function in functions}


def granted_to_role(template: str, role: str) -> set[str]:
    """The actions of a role that stands in a template."""
    policies = [policy["PolicyDocument"] for policy in resources(template)[role]["Policies"]]
    statements = [statement for policy in policies for statement in policy["Statement"]]
    return actions_of(one for one in statements if one.get("Sid") not in LAMBDAS_OWN)


def needed(methods: Iterable[Callable[..., Any]]) -> set[str]:
    """The actions that these methods of ports need, with what their ports need for every method."""
    speakers = [port for port in PORTS if any(method in vars(port).values() for method in methods)]
    return set[str]().union(*(needed_by(inspect.getdoc(speaker) or "") for speaker in (*methods, *speakers)))


@pytest.mark.parametrize(
    ("documentation", "actions"),
    [
        ("Read. Needs ecr:ListImages. Raises X.", {"ecr:ListImages"}),
        ("Needs ecr:One at the source;\n ecr:Two and\n ecr:Three there. More", {"ecr:One", "ecr:Two", "ecr:Three"}),
        ("Needs sqs:Send; dynamodb:PutItem and GetItem", {"sqs:Send", "dynamodb:PutItem", "dynamodb:GetItem"}),
        ("Every method needs ecr:GetAuthorizationToken.", {"ecr:GetAuthorizationToken"}),
        ("Remember these. Needs\ndynamodb:BatchWriteItem.", {"dynamodb:BatchWriteItem"}),
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
        if not name.startswith("_") and method not in ASK_NOTHING and not needed_by(inspect.getdoc(method) or "")
    ]

    assert silent == []


@pytest.mark.parametrize("function", USES)
def test_a_function_is_granted_what_its_ports_need_and_nothing_else(function: str) -> None:
    assert granted()[function] == needed([*USES[function], *EVERYWHERE]) | {"sts:AssumeRole"}


def test_copy_jobs_share_what_ecr_takes_as_many_as_their_queue_lets_run() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    document = yaml.load(template, CloudFormationLoader)  # noqa: S506 - a SafeLoader

    assert document["Parameters"]["CopyConcurrency"]["Default"] == bootstrap.Settings.copy_jobs
    assert "ECR_STEWARD_COPY_JOBS: !Sub ${CopyConcurrency}" in template
    assert template.count("MaximumConcurrency: !Ref CopyConcurrency") == 1


def test_every_function_and_every_method_of_a_port_is_known_here() -> None:
    used = {method for methods in USES.values() for method in methods}.union(EVERYWHERE)
    methods = {method for port in PORTS for method in vars(port).values() if inspect.isfunction(method)}

    assert USES.keys() == granted().keys()
    assert {
        method.__qualname__
        for method in methods - used - BY_PEOPLE - ASK_NOTHING
        if not method.__name__.startswith("_")
    } == set()


def test_in_a_connected_account_the_hub_may_do_what_its_functions_do_at_home() -> None:
    at_home = set[str]().union(*granted().values())

    assert granted_to_role("spoke.yaml", "SpokeRole") == {
        action for action in at_home if action.startswith(("ecr:", "iam:", "inspector2:", "ecs:", "kms:", "lambda:"))
    }


@pytest.mark.parametrize("template", ["template.yaml", "spoke.yaml"])
def test_a_pull_only_role_may_do_what_aws_says_a_puller_needs_but_import(template: str) -> None:
    managed = json.loads(aws_managed_policies_data)["AmazonEC2ContainerRegistryPullOnly"]["Document"]

    assert granted_to_role(template, "PullOnlyRole") == actions_of(managed["Statement"]) - {
        "ecr:BatchImportUpstreamImage"
    }
