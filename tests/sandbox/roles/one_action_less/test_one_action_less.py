"""Every action of every role is there for a reason: without it exactly the step that needs it fails, and says so."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

pytestmark = pytest.mark.slow

EXCEPTIONS = {
    "logs:CreateLogStream": "CloudWatch Logs are not simulated: Lambda's runtime writes them, no function does",
    "logs:PutLogEvents": "likewise",
    "inspector2:Enable": "enhanced scans alone ask for it, and those of the house are basic",
    "inspector2:Disable": "likewise",
    "inspector2:ListAccountPermissions": "likewise",
    "iam:CreateServiceLinkedRole": "ECR makes itself a role at the first replication; the local one does not",
}
"""Actions that nothing in the sandbox asks for."""

UNPLAYED = {
    ("hub/EvaluateImageScanFunctionRole", "sqs:SendMessage", "-EvaluateImageScanQueue-"): "a message is sent anew "
    "only when it was not begun in three invocations that had no time left (tests/unit/functions/test_any_size.py)",
    (
        "hub/ReconcileRegistryFunctionRole",
        "sqs:ChangeMessageVisibility",
        "",
    ): "a part of a sweep comes again only where "
    "DynamoDB throttles the switch, as the sandbox's never does: what a repository meets is kept as the part's failure",
}
"""Likewise, of one role; of several statements about the action, the one whose resources hold the last word."""

TRIALS = {(f"{where}/PullOnlyRole", "ecr:InitiateLayerUpload") for where in ("hub", "spoke")}
"""What is refused whenever a login is tried: it must not be able to push."""


@dataclass(frozen=True)
class Row:
    """What a role's action is for: without it the scenario lacks these effects, and a place tells why."""

    role: str
    action: str
    scenario: str
    missing: frozenset[str]
    """Effects of the scenario; `*` for all of them."""
    on: str = ""
    """Of several statements about the action, the one whose resources hold this."""
    place: str = "failure queue"
    words: str = ""
    """What is told there; nothing for the name of the action."""
    is_asked: bool = True
    """Whether somebody calls as the role: deliveries of AWS's own are judged, but are no calls."""
    is_cold: bool = False
    """Whether the function is started anew: a session or a login that it holds would serve on."""

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.on}".strip()


def rows(role: str, scenario: str, missing: dict[str, set[str]], **options: Any) -> Iterator[Row]:
    """Rows of one role and scenario: what is missing, by action; `ecr:A B` stands for two actions of ecr."""
    for actions, effects in missing.items():
        service, _, names = actions.partition(":")
        for name in names.split():
            yield Row(role, f"{service}:{name}", scenario, frozenset(effects), **options)


def cold(role: str, scenario: str, action: str, missing: set[str], on: str = "") -> Iterator[Row]:
    """A row of what a function does once and then holds."""
    yield from rows(role, scenario, {action: missing}, on=on, is_cold=True)


def remembering(role: str, scenario: str) -> Iterator[Row]:
    """Rows of the table that remembers notices: without it they are given all the same."""
    table = {"on": "-IdempotencyTable-", "place": "log"}
    yield from rows(role, scenario, {"dynamodb:PutItem UpdateItem": {"remembered"}}, **table)
    yield from rows(role, f"{scenario}, and the bus refuses", {"dynamodb:DeleteItem": ALL}, **table)


def enforcing(role: str, scenario: str, *, begun: set[str], counted: set[str]) -> Iterator[Row]:
    """Rows of the state table: the switch, which is read first, the journal, and the counts of the brake."""
    yield from cold(role, scenario, "dynamodb:GetItem", ALL, on="-StateTable-")
    yield from rows(role, scenario, {"dynamodb:PutItem": begun, "dynamodb:UpdateItem": counted}, on="-StateTable-")


def keeping(function: str, *, is_polled: bool = False) -> Iterator[Row]:
    """Rows of what a function needs for an event that it cannot handle, and for its queue."""
    role, scenario = f"hub/{function}Role", f"malformed for {function}"
    place = {"place": "dead-letter queue", "words": "PUSH"} if is_polled else {"place": "lost"}
    yield from rows(role, scenario, {"sqs:SendMessage": ALL}, on="-FailureQueue-", **place)
    if is_polled:
        yield from rows(role, scenario, POLLING, place="problems", is_asked=False)


ENFORCE, APPLY = "hub/EnforceImageTagsFunctionRole", "hub/ApplyRepositoryPoliciesFunctionRole"
EVALUATE, REPLICATE = "hub/EvaluateImageScanFunctionRole", "hub/ReplicateImageFunctionRole"
SWEEP, REFRESH = "hub/ReconcileRegistryFunctionRole", "hub/RefreshCredentialsFunctionRole"
OVER_THERE = "spoke/SpokeRole"

ALL = {"*"}
POLLING = {"sqs:ReceiveMessage DeleteMessage GetQueueAttributes": ALL}
SETTINGS = {"policy", "lifecycle", "mutability", "scanning", "resource tags"}
TAGS = {"quarantined", "untagged"}
NOTICE = {"notice", "remembered"}
COPIES = {"copy", "spoke copy", *NOTICE}
REQUEST = {"verdict", "requested"}
LACK = {"lack told"}
BARE_REPLICA = "replicate to what is to be bare"

READING_MORE = "ecr:GetRepositoryPolicy GetLifecyclePolicy BatchGetRepositoryScanningConfiguration"
READING = READING_MORE.replace(":", ":DescribeRepositories ListTagsForResource ")
BARE = {"ecr:DeleteRepositoryPolicy": {"no policy"}, "ecr:DeleteLifecyclePolicy": {"no lifecycle"}}
CHANGING = {
    "ecr:SetRepositoryPolicy": {"policy"},
    "ecr:PutLifecyclePolicy": {"lifecycle"},
    "ecr:PutImageTagMutability": {"mutability"},
    "ecr:PutImageScanningConfiguration": {"scanning"},
    "ecr:TagResource": {"resource tags"},
}
TAGGING = {"ecr:DescribeImages": ALL, "ecr:BatchGetImage PutImage": TAGS, "ecr:BatchDeleteImage": {"untagged"}}
ENHANCED = "inspector2:ListFindings ListCoverage"
JUDGING = "ecr:DescribeImages BatchGetImage DescribeImageScanFindings"
PULLING = "ecr:GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer"
UPLOADING = "ecr:BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload"

TEMPLATES = {"template", "changed template"}
REGISTRY = {
    "ecr:GetRegistryPolicy PutRegistryPolicy": {"registry policy"},
    "ecr:GetRegistryScanningConfiguration PutRegistryScanningConfiguration": {"registry scanning"},
    "ecr:DescribeRegistry PutReplicationConfiguration": {"replication"},
    "ecr:DescribeRepositoryCreationTemplates": TEMPLATES,
    "ecr:CreateRepositoryCreationTemplate": {"template"},
    "ecr:UpdateRepositoryCreationTemplate": {"changed template"},
    "ecr:GetAccountSetting PutAccountSetting": {"blob mounting"},
    "iam:PassRole": TEMPLATES,
}
CREATING = {"ecr:CreateRepository": TEMPLATES}

BACKFILLING = "ecr:ListReplicationBackfills StartReplicationBackfill"

RUNNING = {
    "ecs:ListTaskDefinitions DescribeTaskDefinition ListClusters": {"deleted"},
    "ecs:ListServices DescribeServices ListTasks DescribeTasks": {"deleted"},
    "lambda:ListFunctions GetFunction": {"deleted"},
}

TABLE = [
    # enforce_image_tags
    *rows(ENFORCE, "enforce", {**TAGGING, "events:PutEvents": ALL}),
    *rows(ENFORCE, "enforce labels", {"ecr:GetDownloadUrlForLayer": ALL}),
    *rows(ENFORCE, "enforce by resource tags", {"ecr:ListTagsForResource": ALL}),
    *cold(ENFORCE, "enforce labels", "ecr:GetAuthorizationToken", ALL),
    *cold(ENFORCE, "enforce in the spoke", "sts:AssumeRole", ALL),
    *remembering(ENFORCE, "watch"),
    *enforcing(ENFORCE, "enforce", begun=TAGS, counted=set()),
    *rows(ENFORCE, "enforce what is copied", {"sqs:SendMessage": ALL}, on="-ReplicateImageQueue-"),
    *rows(ENFORCE, "enforce", {"dynamodb:Query": ALL}),
    *keeping("EnforceImageTagsFunction"),
    # apply_repository_policies
    *rows(APPLY, "apply", {READING: ALL, "ecr:DescribeImages": ALL, **CHANGING}),
    *rows(APPLY, "apply", {"dynamodb:Query": ALL}, on="-StateTable-"),
    *rows(APPLY, "bare", BARE),
    *rows(APPLY, "apply to a registry", {**REGISTRY, **CREATING}),
    *rows(APPLY, "apply elsewhere", {"ecr:DeleteRegistryPolicy": ALL}),
    *rows(APPLY, "apply to a registry", {"dynamodb:DeleteItem": {"replication"}}, on="-StateTable-"),
    *cold(APPLY, "apply in the spoke", "sts:AssumeRole", ALL),
    *rows(APPLY, "braked", {"events:PutEvents": NOTICE}),
    *remembering(APPLY, "braked"),
    *enforcing(APPLY, "bare", begun={"no policy", "no lifecycle"}, counted={"no policy", "no lifecycle"}),
    *keeping("ApplyRepositoryPoliciesFunction"),
    # evaluate_image_scan
    *rows(EVALUATE, "evaluate", {JUDGING: {"verdict"}, ENHANCED: {"verdict"}, "events:PutEvents": ALL}),
    *rows(EVALUATE, "evaluate by resource tags", {"ecr:ListTagsForResource": {"verdict"}}),
    *cold(EVALUATE, "evaluate", "sts:AssumeRole", {"spoke verdict"}),
    *remembering(EVALUATE, "evaluate"),
    *rows(EVALUATE, "evaluate", {"dynamodb:Query": ALL}),
    *rows(EVALUATE, "evaluate", {"dynamodb:PutItem": ALL}, on="-StateTable-"),
    *keeping("EvaluateImageScanFunction", is_polled=True),
    # replicate_image
    *rows(REPLICATE, "replicate", {JUDGING: ALL, ENHANCED: ALL}),
    *rows(REPLICATE, "replicate", {"ecr:DescribeRepositories": {"copy", *SETTINGS}, READING_MORE: SETTINGS}),
    *rows(REPLICATE, "replicate", {"ecr:ListTagsForResource": {"spoke copy", *NOTICE, *SETTINGS}}),
    *rows(REPLICATE, "replicate", {**CHANGING, UPLOADING: {"copy"}}),
    *rows(REPLICATE, "replicate", {"ecr:GetDownloadUrlForLayer": COPIES, "ecr:PutImage": {"copy"}}),
    *rows(REPLICATE, "replicate", {"events:PutEvents": NOTICE}),
    *rows(REPLICATE, BARE_REPLICA, BARE),
    *rows(REPLICATE, "replicate to a new repository", {"ecr:CreateRepository": {"copy", *SETTINGS}}),
    *cold(REPLICATE, "replicate", "ecr:GetAuthorizationToken", COPIES),
    *cold(REPLICATE, "replicate", "sts:AssumeRole", {"spoke copy"}),
    *remembering(REPLICATE, "replicate"),
    *enforcing(
        REPLICATE, BARE_REPLICA, begun={"no policy", "no lifecycle", *COPIES}, counted={"no policy", "no lifecycle"}
    ),
    *rows(REPLICATE, "replicate", {"dynamodb:Query": ALL}),
    *rows(REPLICATE, "replicate", {"dynamodb:DeleteItem": COPIES}, on="-StateTable-"),
    *rows(REPLICATE, "replicate what is under way", {"sqs:SendMessage": {"put back"}}, on="-ReplicateImageQueue-"),
    *rows(REPLICATE, "withdraw", {"ecr:BatchDeleteImage": ALL}),
    *rows(REPLICATE, "publish", {"secretsmanager:GetSecretValue": ALL}),
    *keeping("ReplicateImageFunction", is_polled=True),
    # reconcile_registry
    *rows(SWEEP, "sweep", {"ecr:DescribeRepositories": {*SETTINGS, *TAGS, *NOTICE, *REQUEST, *LACK}}),
    *rows(SWEEP, "sweep", {READING_MORE: SETTINGS, "ecr:ListTagsForResource": {*SETTINGS, *REQUEST}, **CHANGING}),
    *rows(SWEEP, "sweep what is to be bare", BARE),
    *rows(SWEEP, "sweep registries", {**REGISTRY, **CREATING}),
    *rows(SWEEP, "sweep registries elsewhere", {"ecr:DeleteRegistryPolicy": ALL}),
    *rows(SWEEP, "sweep", {"ecr:DescribeImages": {*SETTINGS, *TAGS, *NOTICE, *REQUEST, *LACK}}),
    *rows(SWEEP, "sweep", {"ecr:BatchGetImage": {*TAGS, *REQUEST, *LACK}}),
    *rows(SWEEP, "sweep", {"ecr:PutImage": TAGS, "ecr:BatchDeleteImage": {"untagged"}}),
    *rows(SWEEP, "sweep", {"ecr:BatchCheckLayerAvailability DescribeImageScanFindings": REQUEST, ENHANCED: REQUEST}),
    *rows(SWEEP, "sweep", {"events:PutEvents": {*TAGS, *NOTICE, *LACK, "verdict"}}),
    *rows(SWEEP, "sweep", {"sqs:SendMessage": {"requested"}}, on="-ReplicateImageQueue-"),
    *rows(SWEEP, "sweep", {"sqs:SendMessage": ALL}, on="-ReconcileRegistryQueue-"),
    *rows(SWEEP, "malformed part of a sweep", POLLING, place="problems", is_asked=False),
    *rows(SWEEP, "sweep", {"ecr:GetDownloadUrlForLayer": LACK}),
    *cold(SWEEP, "sweep", "ecr:GetAuthorizationToken", {*REQUEST, *LACK}),
    *cold(SWEEP, "sweep", "sts:AssumeRole", {"spoke"}),
    *remembering(SWEEP, "sweep"),
    *enforcing(SWEEP, "sweep", begun={"untagged"}, counted=set()),
    *rows(SWEEP, "sweep", {"dynamodb:Query": {*SETTINGS, *TAGS, *NOTICE, *REQUEST, *LACK}}, on="-StateTable-"),
    *rows(SWEEP, "retain", {"dynamodb:BatchWriteItem": {"seen", "forgotten"}}, on="-StateTable-"),
    *rows(SWEEP, "retain", {"dynamodb:DeleteItem": {"forgotten"}}, on="-StateTable-"),
    *rows(SWEEP, "retain", RUNNING),
    *rows(SWEEP, "sweep what ECR copies", {"ecr:DescribeImageReplicationStatus": ALL}),
    *rows(SWEEP, "sweep what is to be published", {"secretsmanager:GetSecretValue": ALL}),
    *rows(SWEEP, "sweep what was there before", {BACKFILLING: ALL}),
    *rows(SWEEP, "sweep what ECR failed to bring", {"ecr:DescribeReplicationBackfillResults": ALL}),
    *keeping("ReconcileRegistryFunction"),
    # refresh_credentials
    *rows(REFRESH, "refresh", {"ecr:DescribeRepositories ListImages": {"login"}, "events:PutEvents": NOTICE}),
    *rows(REFRESH, "refresh", {"secretsmanager:DescribeSecret CreateSecret TagResource": {"login"}}),
    *rows(REFRESH, "refresh", {"secretsmanager:PutSecretValue": {"spoke login"}, "secretsmanager:GetSecretValue": ALL}),
    *cold(REFRESH, "refresh", "sts:AssumeRole", {"login"}, on="iam::111122223333:role/ecr-steward-pull-only"),
    *cold(REFRESH, "refresh", "sts:AssumeRole", {"spoke login"}, on="iam::*:role/ecr-steward-pull-only"),
    *cold(REFRESH, "refresh", "sts:AssumeRole", {"spoke login"}, on="iam::*:role/ecr-steward-spoke"),
    *remembering(REFRESH, "refresh"),
    *keeping("RefreshCredentialsFunction"),
    *rows("hub/PullOnlyRole", "refresh", {PULLING: {"login"}}),
    *rows("spoke/PullOnlyRole", "refresh", {PULLING: {"spoke login"}}),
    # what the functions do in the other account
    *rows(OVER_THERE, "apply in the spoke", {READING: ALL, **CHANGING}),
    *rows(OVER_THERE, "bare in the spoke", BARE),
    *rows(OVER_THERE, "retain", RUNNING),
    *rows(OVER_THERE, "sweep what ECR copies in the spoke", {"ecr:DescribeImageReplicationStatus": ALL}),
    *rows(OVER_THERE, "sweep what was there before in the spoke", {BACKFILLING: ALL}),
    *rows(OVER_THERE, "sweep what ECR failed to bring in the spoke", {"ecr:DescribeReplicationBackfillResults": ALL}),
    *rows(OVER_THERE, "apply to a registry in the spoke", REGISTRY),
    *rows(OVER_THERE, "apply elsewhere in the spoke", {"ecr:DeleteRegistryPolicy": ALL}),
    *rows(OVER_THERE, "enforce in the spoke", TAGGING),
    *rows(OVER_THERE, "evaluate", {"ecr:DescribeImageScanFindings": {"spoke verdict"}, ENHANCED: {"spoke verdict"}}),
    *rows(OVER_THERE, "replicate", {"ecr:CreateRepository": {"spoke copy"}, UPLOADING: {"spoke copy"}}),
    *cold(OVER_THERE, "replicate", "ecr:GetAuthorizationToken", {"spoke copy"}),
    *rows(OVER_THERE, "replicate from the spoke", {"ecr:GetDownloadUrlForLayer": COPIES}),
    *rows(OVER_THERE, "refresh", {"ecr:ListImages": {"spoke login"}}),
    # what EventBridge and its Scheduler do
    *(
        row
        for role, scenario, action in (
            ("hub/ForwardToStewardRole", "forward from the hub", "events:PutEvents"),
            ("spoke/ForwardToStewardRole", "forward from the spoke", "events:PutEvents"),
            ("hub/NoticesRole", "report", "sns:Publish"),
            ("hub/SweepScheduleRole", "start the sweep", "lambda:InvokeFunction"),
            ("hub/CredentialScheduleRole", "start the refresh", "lambda:InvokeFunction"),
        )
        for row in rows(role, scenario, {action: ALL}, place="dead letters", is_asked=False)
    ),
    *(
        Row(role, "sqs:SendMessage", scenario, frozenset(ALL), place="lost", words="may not write", is_asked=False)
        for role, scenario in (
            ("hub/SweepScheduleRole", "cannot start the sweep"),
            ("hub/CredentialScheduleRole", "cannot start the refresh"),
        )
    ),
    *(
        Row(
            f"{account}/SelfCheckRole",
            "events:PutEvents",
            f"check the {account}",
            frozenset(ALL),
            place="lost",
            is_asked=False,
        )
        for account in ("hub", "spoke")
    ),
    *rows(EVALUATE, "evaluate later", {"sqs:ChangeMessageVisibility": ALL}, place="log"),
    *rows(REPLICATE, "replicate later", {"sqs:ChangeMessageVisibility": ALL}, place="log"),
]


def chosen(house: Any, role: str, action: str, on: str = "") -> list[Any]:
    """The grants that a row is about."""
    grants = [one for one in house.roles.grants if (one.role, one.action) == (role, action)]
    return [one for one in grants if not on or any(on in resource for resource in one.resources)]


def group(row: Row) -> str:
    """Which rows one process of several plays in one house: those of about a quarter of the roles."""
    if row.scenario.endswith(" later"):
        return "roles: last, since an hour passes"
    parts = {ENFORCE: "events", APPLY: "events", EVALUATE: "images", REPLICATE: "images", SWEEP: "a sweep"}
    return f"roles: {parts.get(row.role, 'beyond')}"


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=str(row), marks=pytest.mark.xdist_group(group(row))) for row in TABLE]
)
def test_exactly_the_step_that_needs_an_action_fails_when_its_role_lacks_it(
    row: Row, house: Any, scenarios: Any
) -> None:
    scenario = scenarios[row.scenario](house)
    also = [grant for role, action in scenario.also for grant in chosen(house, role, action)]
    house.clear()
    scenario.prepare()

    with house.roles.without(*chosen(house, row.role, row.action, row.on), *also):
        if row.is_cold:
            house.restart(scenario.function)
        told, happened, refused = house.watch(scenario)
    with house.roles.without(*also):
        _, mended, refused_still = house.watch(scenario)

    assert refused - TRIALS == scenario.refused | ({(row.role, row.action)} if row.is_asked else set())
    assert any((row.words or row.action) in text for text in told[row.place]), told
    assert happened == (set() if row.missing == ALL else scenario.effects - row.missing)
    assert refused_still - TRIALS == scenario.refused
    assert mended == scenario.effects


@pytest.mark.xdist_group("roles: events")
def test_every_action_of_every_role_has_its_row(house: Any) -> None:
    granted = {(grant.role, grant.action) for grant in house.roles.grants}
    played = {grant for grant in house.roles.grants if grant.action not in EXCEPTIONS}
    unplayed = {grant for left_out in UNPLAYED for grant in chosen(house, *left_out)}
    grants = Counter(map(str, played - unplayed))
    of_rows = [chosen(house, row.role, row.action, row.on) for row in TABLE]

    assert [str(row) for row, found in zip(TABLE, of_rows, strict=True) if len(found) != 1] == []
    tried = Counter(str(grant) for found in of_rows for grant in found)
    assert {"without a row": sorted(grants - tried), "without a grant, or with two rows": sorted(tried - grants)} == {
        "without a row": [],
        "without a grant, or with two rows": [],
    }
    assert EXCEPTIONS.keys() <= {action for _, action in granted}
    assert len(unplayed) == len(UNPLAYED)
