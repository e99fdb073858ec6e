"""Every action of every role is there for a reason: without it exactly the step that needs it fails, and says so."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import pytest

pytestmark = pytest.mark.slow

HUB, SPOKE = "111122223333", "222233334444"
HOME, AWAY = "us-east-1", "eu-west-1"

EXCEPTIONS = {
    "logs:CreateLogGroup": "CloudWatch Logs are not simulated: the runtime writes them, no function does",
    "logs:CreateLogStream": "likewise",
    "logs:PutLogEvents": "likewise",
}
"""Actions that nothing in the sandbox asks for."""

TRIALS = {(f"{where}/PullOnlyRole", "ecr:InitiateLayerUpload") for where in ("hub", "spoke")}
"""What is refused whenever a login is tried: it must not be able to push."""

SETTINGS = {"policy", "lifecycle", "mutability", "scanning", "resource tags"}


# -------------------------------------------------------------------------------------------------------------- scenarios


class Scenario:
    """A job, from facts under which every one of its steps is due. `effects` name what is there when it is done."""

    effects: ClassVar[set[str]]
    function: ClassVar[str]
    also: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Further actions, by role, that are missing all the time: what is looked at happens only then."""
    refused: ClassVar[set[tuple[str, str]]] = set()
    """What is refused all the time because of that."""

    def __init__(self, house: Any) -> None:
        self.house = house

    def prepare(self) -> None:
        """Make the facts."""

    def play(self) -> None:
        """Let the event happen."""
        raise NotImplementedError

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        """The effects that are there."""
        raise NotImplementedError

    def noticed(self) -> Iterator[str]:
        """Whether notices were given and remembered: then a repeated event gives no second one."""
        states = self.house.remembered()
        if states and set(states) == {"COMPLETED"}:
            yield "remembered"

    def settings(self, repository: str, account: str = HUB, region: str = HOME) -> Iterator[str]:
        """Which settings a repository has."""
        ecr = self.house.at(account, region).ecr
        (found,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
        for effect, read in (("policy", ecr.get_repository_policy), ("lifecycle", ecr.get_lifecycle_policy)):
            try:
                read(repositoryName=repository)
            except (ecr.exceptions.RepositoryPolicyNotFoundException, ecr.exceptions.LifecyclePolicyNotFoundException):
                continue
            yield effect
        if found["imageTagMutability"] == "IMMUTABLE":
            yield "mutability"
        if found["imageScanningConfiguration"]["scanOnPush"]:
            yield "scanning"
        if ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]:
            yield "resource tags"


class Apply(Scenario):
    """A repository without settings is announced."""

    effects = SETTINGS
    function = "ApplyRepositoryPoliciesFunction"
    account = HUB

    def prepare(self) -> None:
        self.repository = self.house.new_name("kept")
        self.house.at(self.account).ecr.create_repository(repositoryName=self.repository)

    def play(self) -> None:
        event = self.house.event("aws_api_call_via_cloudtrail/create_repository", self.account, self.repository)
        self.house.invoke(self.function, event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return set(self.settings(self.repository, self.account))


class ApplyInSpoke(Apply):
    account = SPOKE


class Enforce(Scenario):
    """An image is pushed as something that is no version."""

    effects = {"notice", "quarantined", "untagged"}
    function = "EnforceImageTagsFunction"
    account = HUB
    rule = "kept"

    def prepare(self) -> None:
        self.repository = self.house.new_name(self.rule)
        self.user = self.house.at(self.account)
        self.user.ecr.create_repository(repositoryName=self.repository)
        self.pushed = self.house.push(self.user, self.repository, "latest")

    def play(self) -> None:
        digest = self.pushed.index.digest
        event = self.house.event("ecr_image_action/push_tagged", self.account, self.repository, digest)
        self.house.invoke(self.function, event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return set(answers(self.house, self.user, self.repository))


class EnforceInSpoke(Enforce):
    account = SPOKE


class Watch(Enforce):
    """The same under a rule that only observes: the violation stays, and is told again."""

    effects = {"notice", "remembered"}
    rule = "watched"

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        return {*super().happened(told), *self.noticed()}


def answers(house: Any, user: Any, repository: str) -> Iterator[str]:
    """How the violation of an image called `latest` was answered."""
    if house.notices("Violation Found", repository):
        yield "notice"
    image_tags = user.tags(repository)
    if any(image_tag.startswith("quarantine-") for image_tag in image_tags):
        yield "quarantined"
    if "latest" not in image_tags:
        yield "untagged"


class Evaluate(Scenario):
    """Scans end badly, in both accounts."""

    effects = {"verdict", "spoke verdict", "remembered"}
    function = "EvaluateImageScanFunction"

    def prepare(self) -> None:
        self.repository = self.house.new_name("kept")
        self.pushed = {}
        for account in (HUB, SPOKE):
            user = self.house.at(account)
            user.ecr.create_repository(repositoryName=self.repository)
            self.pushed[account] = self.house.push(user, self.repository, "1.0.0")
            self.house.scan(account, self.repository, self.pushed[account], "HIGH")

    def play(self) -> None:
        sample = "ecr_image_scan/complete_child"
        self.house.send(
            "EvaluateImageScanQueue",
            *(
                self.house.event(sample, account, self.repository, pushed.children[0].digest)
                for account, pushed in self.pushed.items()
            ),
        )

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        accounts = {notice["account"] for notice in self.house.notices("Image Verdict", self.repository)}
        by_account = {HUB: "verdict", SPOKE: "spoke verdict"}
        return {*(by_account[account] for account in accounts), *self.noticed()}


class Replicate(Scenario):
    """An image that passed its scan is pushed; one destination has a repository without settings, the other none."""

    effects = {"copy", "spoke copy", "notice", "remembered", *SETTINGS}
    function = "ReplicateImageFunction"
    account = HUB
    has_destination = True

    def prepare(self) -> None:
        self.repository = self.house.new_name("kept")
        user = self.house.at(self.account)
        user.ecr.create_repository(repositoryName=self.repository)
        if self.has_destination:
            self.house.at(self.account, AWAY).ecr.create_repository(repositoryName=self.repository)
        self.pushed = self.house.push(user, self.repository, "1.0.0")
        self.house.scan(self.account, self.repository, self.pushed, "LOW")

    def play(self) -> None:
        digest = self.pushed.index.digest
        event = self.house.event("ecr_image_action/push_tagged", self.account, self.repository, digest)
        self.house.send("ReplicateImageQueue", event)

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = set(self.noticed())
        away = self.house.at(self.account, AWAY)
        if away.has_repository(self.repository):
            found |= set(self.settings(self.repository, self.account, AWAY))
            if self._is_at(away, self.repository):
                found.add("copy")
        if self._is_at(self.house.at(SPOKE), f"copies/{self.repository}"):
            found.add("spoke copy")
        if self.house.notices("Image Replicated", self.repository):
            found.add("notice")
        return found

    def _is_at(self, user: Any, repository: str) -> bool:
        digest = str(self.pushed.index.digest)
        return user.has_repository(repository) and user.tags(repository) == {"1.0.0": digest}


class ReplicateToNewRepository(Replicate):
    has_destination = False


class ReplicateFromSpoke(Replicate):
    account = SPOKE


class Sweep(Scenario):
    """Nothing was announced: neither a repository, nor a version, nor another image's bad tag, nor a repository there."""

    effects = {"notice", "quarantined", "untagged", "verdict", "requested", "remembered", "spoke", *SETTINGS}
    function = "ReconcileRegistryFunction"
    also = (("hub/ReplicateImageFunctionRole", "sqs:ReceiveMessage"),)  # so that what is requested stays on its queue

    def prepare(self) -> None:
        self.repository = self.house.new_name("swept")
        self.user = self.house.at()
        self.user.ecr.create_repository(repositoryName=self.repository)
        self.house.at(SPOKE).ecr.create_repository(repositoryName=self.repository)
        self.house.scan(HUB, self.repository, self.house.push(self.user, self.repository, "1.0.0"), "LOW")
        self.house.push(self.user, self.repository, "latest")

    def play(self) -> None:
        self.house.tick("ReconcileRegistryFunctionSweep")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        found = {*self.settings(self.repository), *answers(self.house, self.user, self.repository), *self.noticed()}
        if self.house.notices("Image Verdict", self.repository):
            found.add("verdict")
        jobs = [json.loads(body) for body in self.house.take("ReplicateImageQueue")]
        if any(job["detail-type"] == "Replication Requested" for job in jobs):
            found.add("requested")
        if set(self.settings(self.repository, SPOKE)) == SETTINGS:
            found.add("spoke")
        return found


class Refresh(Scenario):
    """One login has never been published, the other was replaced by somebody."""

    effects = {"login", "spoke login", "notice", "remembered"}
    function = "RefreshCredentialsFunction"

    def prepare(self) -> None:
        for account in (HUB, SPOKE):
            self.house.at(account).ecr.create_repository(repositoryName="kept/something-to-try")
            self.house.push(self.house.at(account), "kept/something-to-try", "1.0.0")

    def play(self) -> None:
        self.house.reset_secrets()
        self.house.tick("RefreshCredentialsFunctionRefresh")

    def happened(self, told: dict[str, list[str]]) -> set[str]:
        by_account = {HUB: "login", SPOKE: "spoke login"}
        found = {by_account[account] for account in self.house.published_logins()}
        if self.house.notices("Credential Refreshed", "ecr-steward/"):
            found.add("notice")
        return {*found, *self.noticed()}


def released(scenario: type[Scenario]) -> type[Scenario]:
    """The bus refuses a notice: it is not to be remembered as one that is being given."""

    class Released(scenario):  # type: ignore[misc,valid-type]
        effects: ClassVar = {"released"}
        refused: ClassVar = {(f"hub/{scenario.function}Role", "events:PutEvents")}
        also: ClassVar = (*scenario.also, *refused)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            super().happened(told)
            return set() if self.house.remembered() else {"released"}

    return Released


def malformed(of_function: str, queue: str | None = None) -> type[Scenario]:
    """An event that no function can read."""

    class Malformed(Scenario):
        effects: ClassVar = {"kept"}
        function: ClassVar = of_function

        def play(self) -> None:
            event = self.house.event("ecr_image_action/malformed", "nobody", "kept/nothing")
            if queue:
                self.house.send(queue, event)
            else:
                self.house.invoke(of_function, event)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"kept"} if told["failure queue"] else set()

    return Malformed


def postponed(scenario: type[Scenario], role: str) -> type[Scenario]:
    """The session in the other account ends while the function believes in it: trying again may help, in a while."""

    class Postponed(scenario):  # type: ignore[misc,valid-type]
        effects: ClassVar = {"postponed"}
        account = SPOKE

        def prepare(self) -> None:
            super().prepare()
            super().play()
            self.house.sandbox.clock.move(timedelta(minutes=61))

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            asked = (role, "sqs:ChangeMessageVisibility")
            return {"postponed"} if asked in self.house.allowed() else set()

    return Postponed


def forwarded(from_account: str) -> type[Scenario]:
    """A service puts an event, which starts nothing, on an account's default bus."""

    class Forwarded(Scenario):
        effects: ClassVar = {"forwarded"}

        def play(self) -> None:
            rule = self.house.physical_id("ForwardToStewardRule", from_account)
            events = self.house.sandbox.client("events", account=from_account)
            events.enable_rule(Name=rule)
            try:
                self.house.deliver(from_account, self.house.load_event("ecr_image_action/unknown_action"))
            finally:
                events.disable_rule(Name=rule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"forwarded"} if self.house.arrived("ecr-steward") else set()

    return Forwarded


def scheduled(schedule: str, of_function: str) -> type[Scenario]:
    """A schedule comes due."""

    class Scheduled(Scenario):
        effects: ClassVar = {"started"}

        def play(self) -> None:
            self.house.tick(schedule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"started"} if of_function in {one.function for one in self.house.ran()} else set()

    return Scheduled


def undelivered(schedule: str, role: str) -> type[Scenario]:
    """A schedule comes due that may not start its function."""

    class Undelivered(Scenario):
        effects: ClassVar = {"dead letter"}
        also: ClassVar = ((role, "lambda:InvokeFunction"),)

        def play(self) -> None:
            self.house.tick(schedule)

        def happened(self, told: dict[str, list[str]]) -> set[str]:
            return {"dead letter"} if told["dead letters"] else set()

    return Undelivered


# ------------------------------------------------------------------------------------------------------------------ table


@dataclass(frozen=True)
class Row:
    """What happens when a role lacks an action: in this scenario `missing` is missing, and the `place` tells why."""

    role: str
    action: str
    scenario: type[Scenario]
    missing: frozenset[str]
    on: str = ""
    """Of several statements about the action, the one whose resources hold this."""
    place: str = "failure queue"
    words: str = ""
    """What is told there; nothing for the name of the action."""
    is_asked: bool = True
    """Whether somebody calls as the role; AWS's own deliveries are judged without a call."""
    is_cold: bool = False
    """Whether the function is started anew: a session or a login that it holds would serve on."""

    def __str__(self) -> str:
        return f"{self.role} {self.action} {self.on}".strip()


EVERYTHING: set[str] = {"*"}


def rows(role: str, scenario: type[Scenario], missing: dict[str, set[str]], **options: Any) -> Iterator[Row]:
    """Rows of one role and scenario: what is missing, by action; `ecr:A B` stands for two actions of ecr."""
    for actions, effects in missing.items():
        service, _, names = actions.partition(":")
        for name in names.split():
            lost = scenario.effects if effects == EVERYTHING else effects
            yield Row(role, f"{service}:{name}", scenario, frozenset(lost), **options)


def notice_rows(role: str, scenario: type[Scenario]) -> Iterator[Row]:
    """Rows of the table that remembers notices: without it notices are given all the same."""
    lost = {"dynamodb:PutItem UpdateItem": {"remembered"}}
    yield from rows(role, scenario, lost, place="log")
    yield from rows(role, released(scenario), {"dynamodb:DeleteItem": EVERYTHING}, place="log")


def keeping_rows(function: str, queue: str | None = None) -> Iterator[Row]:
    """Rows of what every function needs for events that it cannot handle, and for its queue."""
    role, scenario = f"hub/{function}Role", malformed(function, queue)
    place = {"place": "dead-letter queue", "words": "PUSH"} if queue else {"place": "lost"}
    yield from rows(role, scenario, {"sqs:SendMessage": EVERYTHING}, on="-FailureQueue-", **place)
    if queue:
        polling = {"sqs:ReceiveMessage DeleteMessage GetQueueAttributes": EVERYTHING}
        yield from rows(role, scenario, polling, place="problems", is_asked=False)


ENFORCE, APPLY = "hub/EnforceImageTagsFunctionRole", "hub/ApplyRepositoryPoliciesFunctionRole"
EVALUATE, REPLICATE = "hub/EvaluateImageScanFunctionRole", "hub/ReplicateImageFunctionRole"
SWEEP, REFRESH = "hub/ReconcileRegistryFunctionRole", "hub/RefreshCredentialsFunctionRole"
IN_SPOKE = "spoke/SpokeRole"

CHANGES = {
    "ecr:SetRepositoryPolicy": {"policy"},
    "ecr:PutLifecyclePolicy": {"lifecycle"},
    "ecr:PutImageTagMutability": {"mutability"},
    "ecr:PutImageScanningConfiguration": {"scanning"},
    "ecr:TagResource": {"resource tags"},
}
APPLYING = {
    "ecr:DescribeRepositories GetRepositoryPolicy GetLifecyclePolicy ListTagsForResource": EVERYTHING,
    **CHANGES,
}
ENFORCING = {
    "ecr:DescribeImages": EVERYTHING,
    "ecr:BatchGetImage PutImage": {"quarantined", "untagged"},
    "ecr:BatchDeleteImage": {"untagged"},
}
SCANS = "ecr:DescribeImageScanFindings", "inspector2:ListFindings ListCoverage"
COPIES = {"copy", "spoke copy", "notice", "remembered"}
REPLICAS = {"verdict", "requested"}

TABLE = [
    *rows(ENFORCE, Enforce, {**ENFORCING, "events:PutEvents": EVERYTHING}),
    *rows(ENFORCE, EnforceInSpoke, {"sts:AssumeRole": EVERYTHING}, is_cold=True),
    *notice_rows(ENFORCE, Watch),
    *keeping_rows("EnforceImageTagsFunction"),
    # ------------------------------------------------------------------------------------------------------------- apply
    *rows(APPLY, Apply, APPLYING),
    *rows(APPLY, ApplyInSpoke, {"sts:AssumeRole": EVERYTHING}, is_cold=True),
    *keeping_rows("ApplyRepositoryPoliciesFunction"),
    # ---------------------------------------------------------------------------------------------------------- evaluate
    *rows(EVALUATE, Evaluate, dict.fromkeys(("ecr:DescribeImages BatchGetImage", *SCANS), {"verdict"})),
    *rows(EVALUATE, Evaluate, {"events:PutEvents": EVERYTHING}),
    *rows(EVALUATE, Evaluate, {"sts:AssumeRole": {"spoke verdict"}}, is_cold=True),
    *notice_rows(EVALUATE, Evaluate),
    *keeping_rows("EvaluateImageScanFunction", "EvaluateImageScanQueue"),
    # --------------------------------------------------------------------------------------------------------- replicate
    *rows(REPLICATE, Replicate, dict.fromkeys(("ecr:DescribeImages BatchGetImage", *SCANS), EVERYTHING)),
    *rows(REPLICATE, Replicate, {"ecr:GetDownloadUrlForLayer": COPIES}),
    *rows(REPLICATE, Replicate, {"ecr:GetAuthorizationToken": COPIES}, is_cold=True),
    *rows(
        REPLICATE,
        Replicate,
        {
            "ecr:DescribeRepositories GetRepositoryPolicy GetLifecyclePolicy ListTagsForResource": {"copy", *SETTINGS},
            "ecr:BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload": {"copy"},
            "ecr:PutImage": {"copy"},
            "events:PutEvents": {"notice", "remembered"},
            **CHANGES,
        },
    ),
    *rows(REPLICATE, ReplicateToNewRepository, {"ecr:CreateRepository": {"copy", *SETTINGS}}),
    *rows(REPLICATE, Replicate, {"sts:AssumeRole": {"spoke copy"}}, is_cold=True),
    *notice_rows(REPLICATE, Replicate),
    *keeping_rows("ReplicateImageFunction", "ReplicateImageQueue"),
    # --------------------------------------------------------------------------------------------------------- reconcile
    *rows(
        SWEEP,
        Sweep,
        {
            "ecr:DescribeRepositories": Sweep.effects - {"spoke"},
            "ecr:GetRepositoryPolicy GetLifecyclePolicy ListTagsForResource": SETTINGS,
            "ecr:DescribeImages": Sweep.effects - {"spoke", *SETTINGS},
            "ecr:BatchGetImage": {"quarantined", "untagged", *REPLICAS},
            "ecr:PutImage": {"quarantined", "untagged"},
            "ecr:BatchDeleteImage": {"untagged"},
            "ecr:BatchCheckLayerAvailability": REPLICAS,
            "events:PutEvents": {"notice", "quarantined", "untagged", "verdict", "remembered"},
            **dict.fromkeys(SCANS, REPLICAS),
            **CHANGES,
        },
    ),
    *rows(SWEEP, Sweep, {"ecr:GetAuthorizationToken": REPLICAS}, is_cold=True),
    *rows(SWEEP, Sweep, {"sqs:SendMessage": {"requested"}}, on="-ReplicateImageQueue-"),
    *rows(SWEEP, Sweep, {"sts:AssumeRole": {"spoke"}}, is_cold=True),
    *notice_rows(SWEEP, Sweep),
    *keeping_rows("ReconcileRegistryFunction"),
    # ----------------------------------------------------------------------------------------------------------- refresh
    *rows(
        REFRESH,
        Refresh,
        {
            "ecr:DescribeRepositories ListImages": {"login"},
            "secretsmanager:GetSecretValue": EVERYTHING,
            "secretsmanager:DescribeSecret CreateSecret TagResource": {"login"},
            "secretsmanager:PutSecretValue": {"spoke login"},
            "events:PutEvents": {"notice", "remembered"},
        },
    ),
    *rows(REFRESH, Refresh, {"sts:AssumeRole": {"login"}}, on=f"{HUB}:role/ecr-steward-pull-only", is_cold=True),
    *rows(REFRESH, Refresh, {"sts:AssumeRole": {"spoke login"}}, on="*:role/ecr-steward-pull-only", is_cold=True),
    *rows(REFRESH, Refresh, {"sts:AssumeRole": {"spoke login"}}, on="*:role/ecr-steward-spoke", is_cold=True),
    *notice_rows(REFRESH, Refresh),
    *keeping_rows("RefreshCredentialsFunction"),
    *rows(
        "hub/PullOnlyRole",
        Refresh,
        {"ecr:GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer": {"login"}},
    ),
    *rows(
        "spoke/PullOnlyRole",
        Refresh,
        {"ecr:GetAuthorizationToken BatchGetImage GetDownloadUrlForLayer": {"spoke login"}},
    ),
    # ------------------------------------------------------------------------------------------------- the other account
    *rows(IN_SPOKE, ApplyInSpoke, APPLYING),
    *rows(IN_SPOKE, EnforceInSpoke, ENFORCING),
    *rows(IN_SPOKE, Evaluate, dict.fromkeys(SCANS, {"spoke verdict"})),
    *rows(
        IN_SPOKE,
        Replicate,
        {
            "ecr:CreateRepository BatchCheckLayerAvailability": {"spoke copy"},
            "ecr:InitiateLayerUpload UploadLayerPart CompleteLayerUpload": {"spoke copy"},
        },
    ),
    *rows(IN_SPOKE, Replicate, {"ecr:GetAuthorizationToken": {"spoke copy"}}, is_cold=True),
    *rows(IN_SPOKE, ReplicateFromSpoke, {"ecr:GetDownloadUrlForLayer": COPIES}),
    *rows(IN_SPOKE, Refresh, {"ecr:ListImages": {"spoke login"}}),
    # -------------------------------------------------------------------------------------------- what AWS does by itself
    *(
        row
        for where, account in (("hub", HUB), ("spoke", SPOKE))
        for row in rows(
            f"{where}/ForwardToStewardRole",
            forwarded(account),
            {"events:PutEvents": EVERYTHING},
            place="dead letters",
            is_asked=False,
        )
    ),
    *(
        row
        for role, schedule, function in (
            ("hub/SweepScheduleRole", "ReconcileRegistryFunctionSweep", "ReconcileRegistryFunction"),
            ("hub/CredentialScheduleRole", "RefreshCredentialsFunctionRefresh", "RefreshCredentialsFunction"),
        )
        for row in (
            *rows(
                role,
                scheduled(schedule, function),
                {"lambda:InvokeFunction": EVERYTHING},
                place="dead letters",
                is_asked=False,
            ),
            *rows(
                role,
                undelivered(schedule, role),
                {"sqs:SendMessage": EVERYTHING},
                place="lost",
                words="may not write to the dead-letter queue",
                is_asked=False,
            ),
        )
    ),
    # ------------------------------------------- last, since the clock moves and sessions of the other functions end, too
    *rows(EVALUATE, postponed(Evaluate, EVALUATE), {"sqs:ChangeMessageVisibility": EVERYTHING}, place="log"),
    *rows(REPLICATE, postponed(Replicate, REPLICATE), {"sqs:ChangeMessageVisibility": EVERYTHING}, place="log"),
]


def chosen(house: Any, role: str, action: str, on: str = "") -> list[Any]:
    """The grants that a row is about."""
    grants = [one for one in house.roles.grants if (one.role, one.action) == (role, action)]
    return [one for one in grants if not on or any(on in resource for resource in one.resources)]


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_exactly_the_step_that_needs_an_action_fails_when_its_role_lacks_it(row: Row, house: Any) -> None:
    scenario = row.scenario(house)
    grants = chosen(house, row.role, row.action, row.on)
    also = [grant for role, action in scenario.also for grant in chosen(house, role, action)]
    house.clear()
    scenario.prepare()

    with house.roles.without(*grants, *also):
        if row.is_cold:
            house.restart(scenario.function)
        told, happened, refused = house.watch(scenario)
    with house.roles.without(*also):
        _, mended, refused_still = house.watch(scenario)

    assert refused - TRIALS == scenario.refused | ({(row.role, row.action)} if row.is_asked else set())
    assert any((row.words or row.action) in text for text in told[row.place]), told
    assert happened == scenario.effects - row.missing
    assert refused_still - TRIALS == scenario.refused
    assert mended == scenario.effects


def test_every_action_of_every_role_has_its_row(house: Any) -> None:
    grants = {grant for grant in house.roles.grants if grant.action not in EXCEPTIONS}
    rows_of = {grant: [row for row in TABLE if grant in chosen(house, row.role, row.action, row.on)] for grant in grants}

    assert [str(grant) for grant, found in rows_of.items() if len(found) != 1] == []
    assert [str(row) for row in TABLE if len(chosen(house, row.role, row.action, row.on)) != 1] == []
    assert EXCEPTIONS.keys() <= {grant.action for grant in house.roles.grants}
