"""The deployed house, its roles as IAM holds them, and a way to take one action out of one of them for a while."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

from ecr_steward_sandbox.delivery.ledger import Fate
from ecr_steward_sandbox.delivery.stores import drop_delayed, message_count
from ecr_steward_sandbox.demo.client import User
from ecr_steward_sandbox.demo.layout import Release, release, write_layout
from ecr_steward_sandbox.oci_layout import Layout
from ecr_steward_sandbox.rulebook_layer import RulebookLayer
from ecr_steward_sandbox.sandbox import Sandbox
from ecr_steward_sandbox.scan_reports import record_scans
from lab.cncf_distribution import cncf_distribution, docker_config

ROOT = Path(__file__).parents[3]
BUILD, SAMPLES = ROOT / ".aws-sam" / "build", ROOT / "events"
HUB, SPOKE = "111122223333", "222233334444"
HOME, AWAY = "us-east-1", "eu-west-1"
LOGIN = "ecr-steward/elsewhere"
SECRETS = {HUB: "ecr-steward/hub", SPOKE: "ecr-steward/spoke"}
RULEBOOK = Template((Path(__file__).parent / "rulebook.yaml").read_text(encoding="utf-8"))
"""A rulebook that wants something of every function, for a registry that is not ECR."""


@dataclass(frozen=True)
class Grant:
    """One action that one statement of a role allows."""

    role: str
    """Such as `hub/PullOnlyRole`."""
    action: str
    resources: tuple[str, ...]


class Roles:
    """The roles of both templates."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._iams = {account: sandbox.client("iam", account=account) for account in (HUB, SPOKE)}
        self._places: dict[str, tuple[str, str]] = {}
        self._labels: dict[tuple[str, str], str] = {}
        for account, deployment in sandbox.deployments.items():
            for one in deployment.of_type("AWS::IAM::Role"):
                label = f"{'hub' if account == HUB else 'spoke'}/{one.logical_id}"
                self._places[label] = account, one.physical_id
                self._labels[account, one.physical_id] = label
        self._inline: dict[str, dict[str, Any]] = {label: {} for label in self._places}
        self._managed: dict[str, dict[str, Any]] = {label: {} for label in self._places}
        for label, (account, name) in self._places.items():
            iam = self._iams[account]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
                self._inline[label][policy] = {"Version": "2012-10-17", **document}  # SAM writes some without
            for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                arn = attached["PolicyArn"]
                version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
                found = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]
                self._managed[label][arn] = found["Document"]
        self.grants = frozenset(self._grants())

    def name_of(self, principal: str) -> str:
        """`hub/PullOnlyRole` for the ARN of a session of it; the ARN itself for everybody else."""
        account, resource = principal.split(":")[4:6]
        kind, *names = resource.split("/")
        return self._labels[account, names[0]] if kind == "assumed-role" else principal

    @contextlib.contextmanager
    def without(self, *grants: Grant) -> Iterator[None]:
        """Take actions out of the policies of roles, through IAM's API, for the length of a with block."""
        with contextlib.ExitStack() as stack:
            for role in {grant.role for grant in grants}:
                gone = {(grant.action, grant.resources) for grant in grants if grant.role == role}
                for policy, document in (self._inline[role] | self._managed[role]).items():
                    statements = [_reduced(statement, gone) for statement in document["Statement"]]
                    if statements != document["Statement"]:
                        left = {**document, "Statement": [one for one in statements if one["Action"]]}
                        stack.callback(self._restore, role, policy)
                        self._replace(role, policy, left)
            yield

    def _replace(self, role: str, policy: str, left: dict[str, Any]) -> None:
        account, name = self._places[role]
        iam = self._iams[account]
        if policy in self._managed[role]:  # AWS's own cannot be changed: what is left becomes a policy of the role
            iam.detach_role_policy(RoleName=name, PolicyArn=policy)
            policy = policy.rpartition("/")[2]
        elif not left["Statement"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
            return
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(left))

    def _restore(self, role: str, policy: str) -> None:
        account, name = self._places[role]
        iam = self._iams[account]
        if policy in self._managed[role]:
            iam.attach_role_policy(RoleName=name, PolicyArn=policy)
            iam.delete_role_policy(RoleName=name, PolicyName=policy.rpartition("/")[2])
        else:
            document = json.dumps(self._inline[role][policy])
            iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document)

    def _grants(self) -> Iterator[Grant]:
        for role in self._places:
            for document in (self._inline[role] | self._managed[role]).values():
                for statement in document["Statement"]:
                    for action in _listed(statement["Action"]):
                        yield Grant(role, action, _listed(statement["Resource"]))


class House:
    """A sandbox of the built template with a connected account, and one repository after the other."""

    def __init__(self, sandbox: Sandbox, layout: Layout, load_event: Callable[[str], Any], elsewhere: str) -> None:
        self.sandbox = sandbox
        self.elsewhere = elsewhere
        """The host of a registry that is not ECR, and wants a password."""
        self.roles = Roles(sandbox)
        self.load_event = load_event
        self._layout = layout
        self._numbers = itertools.count(1)
        self._users: dict[tuple[str, str], User] = {}
        self._runs = self._events = self._first = self._lost = self._deliveries = 0
        self._has_outdated_workers = False

    # ---------------------------------------------------------------- facts

    def at(self, account: str = HUB, region: str = HOME) -> User:
        """The root of an account, at one of its registries."""
        if (account, region) not in self._users:
            self._users[account, region] = User(self.sandbox, region, account)
        return self._users[account, region]

    def new_name(self, of_rule: str) -> str:
        """A repository name that nobody has used, so that no notice about it has been given."""
        return f"{of_rule}/app-{next(self._numbers)}"

    def push(self, user: User, repository: str, image_tag: str) -> Release:
        """Push an index of one platform; nobody hears of it."""
        pushed = release(self._layout, f"{repository}:{image_tag}")
        user.push(self._layout, pushed, repository, image_tag, sbom=False)
        return pushed

    def scan(self, account: str, repository: str, pushed: Release, *severities: str) -> None:
        """Let Inspector say the same of every platform."""
        findings = [{"title": f"CVE-{severity}", "severity": severity, "status": "ACTIVE"} for severity in severities]
        report = {"repository": repository, "type": "ENHANCED", "status": "ACTIVE", "findings": findings}
        children = [{**report, "digest": str(child.digest)} for child in pushed.children]
        record_scans(self.sandbox.local_ecr, children, account, HOME)

    def let_sessions_end(self) -> None:
        """Let an hour pass of which no function knows: each believes in the sessions that it holds."""
        self.sandbox.clock.move(timedelta(minutes=61))
        self._has_outdated_workers = True

    def clear(self) -> None:
        """Delete every repository, and all that lies in a queue; workers that live in the past are replaced."""
        if self._has_outdated_workers:
            for function in self.sandbox.deployment.of_type("AWS::Lambda::Function"):
                self.restart(function.logical_id)
            self._has_outdated_workers = False
        for account, region in itertools.product((HUB, SPOKE), (HOME, AWAY)):
            ecr = self.at(account, region).ecr
            for one in ecr.describe_repositories()["repositories"]:
                ecr.delete_repository(repositoryName=one["repositoryName"], force=True)
        self.told()
        self._first = len(self.sandbox.events)

    def forget_notices(self) -> None:
        """Empty the idempotency table, as a day that passes would."""
        table, dynamodb = self.physical_id("IdempotencyTable"), self.sandbox.client("dynamodb")
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})

    def let_go_of_brakes(self) -> None:
        """Forget what brakes have counted and which hold, as an hour and a person would."""
        table, dynamodb = self.physical_id("StateTable"), self.sandbox.client("dynamodb")
        for item in dynamodb.scan(TableName=table)["Items"]:
            if item["pk"]["S"].startswith(("brake#", "grants#", "holds")):
                dynamodb.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})

    def remembered(self) -> list[str]:
        """The states of the notices in the idempotency table."""
        items = self.sandbox.client("dynamodb").scan(TableName=self.physical_id("IdempotencyTable"))["Items"]
        return [item["status"]["S"] for item in items]

    def reset_secrets(self) -> None:
        """The hub's login has never been published, that of the other account was replaced by somebody."""
        client = self.sandbox.client("secretsmanager")
        for secret in SECRETS.values():
            client.delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True)
        client.create_secret(Name=SECRETS[SPOKE], SecretString='{"auths": {}}')

    # ---------------------------------------------------------------- what happens

    def event(self, sample: str, account: str, repository: str, digest: object = None) -> dict[str, Any]:
        """A sample event about a repository or an image of it."""
        event: dict[str, Any] = self.load_event(sample)
        event["account"] = account
        detail = event["detail"]
        if "requestParameters" in detail:
            detail["requestParameters"]["repositoryName"] = repository
            detail["responseElements"]["repository"].update(repositoryName=repository, registryId=account)
        else:
            detail |= {"repository-name": repository, "image-digest": str(digest)}
        return event

    def invoke(self, function: str, event: dict[str, Any]) -> None:
        """Invoke a function as EventBridge does, and let all follow."""
        payload = json.dumps(event).encode()
        name = self.physical_id(function)
        self.sandbox.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=payload)
        self.sandbox.wait_until_idle()

    def send(self, queue: str, *events: dict[str, Any]) -> None:
        """Put events on a queue as EventBridge does, and let all follow."""
        entries = [{"Id": str(number), "MessageBody": json.dumps(event)} for number, event in enumerate(events)]
        self.sandbox.client("sqs").send_message_batch(QueueUrl=self.physical_id(queue), Entries=entries)
        self.sandbox.wait_until_idle()

    def tick(self, schedule: str) -> None:
        """Let a schedule come due."""
        self.sandbox.tick(schedule)
        self.sandbox.wait_until_idle()

    def deliver(self, account: str, event: dict[str, Any]) -> None:
        """Put an event on an account's default bus as ECR does, and let all follow."""
        self.sandbox.deliver(account, HOME, {**event, "account": account})
        self.sandbox.wait_until_idle()

    def restart(self, function: str) -> None:
        """Replace the workers of a function: sessions and logins that they hold live for hours."""
        client, name = self.sandbox.client("lambda"), self.physical_id(function)
        timeout = client.get_function_configuration(FunctionName=name)["Timeout"]
        client.update_function_configuration(FunctionName=name, Timeout=timeout)

    # ---------------------------------------------------------------- what happened

    def watch(self, scenario: Any) -> tuple[dict[str, list[str]], set[str], set[tuple[str, str]]]:
        """Let a scenario happen; what was told, which of its effects are there, and who was refused which action."""
        self.forget_notices()
        self.let_go_of_brakes()
        self.sandbox.local_ecr.decisions.clear()
        self._runs, self._events = len(self.sandbox.invocations), len(self.sandbox.events)
        self._lost, self._deliveries = len(self.sandbox.lost), len(self.sandbox.deliveries)
        scenario.play()
        refused = self._decided(is_allowed=False)
        told = self.told()
        return told, scenario.happened(told), refused

    def ran(self) -> list[Any]:
        """The runs since."""
        return self.sandbox.invocations[self._runs :]

    def arrived(self, bus: str, account: str = HUB) -> bool:
        """Whether an event came to a bus since."""
        place = f":{account}:event-bus/{bus}"
        return any(one.bus_arn.endswith(place) for one in self.sandbox.events[self._events :])

    def delivered_to(self, target: str) -> bool:
        """Whether something was delivered to a target since."""
        since = self.sandbox.deliveries[self._deliveries :]
        return any(one.target == target and one.fate is Fate.DELIVERED for one in since)

    def allowed(self) -> set[tuple[str, str]]:
        """Who was allowed which action since."""
        return self._decided(is_allowed=True)

    def _decided(self, *, is_allowed: bool) -> set[tuple[str, str]]:
        decisions = [one for one in self.sandbox.decisions if one.is_allowed is is_allowed]
        return {(self.roles.name_of(one.principal), one.action) for one in decisions}

    def published_logins(self) -> set[str]:
        """The accounts whose registry has a login in its secret."""
        client = self.sandbox.client("secretsmanager")
        published = set()
        for account, secret in SECRETS.items():
            with contextlib.suppress(client.exceptions.ResourceNotFoundException):
                auths = json.loads(client.get_secret_value(SecretId=secret)["SecretString"])["auths"]
                if any(f"http://{host}" == self.sandbox.registry_url(HOME, account) for host in auths):
                    published.add(account)
        return published

    def told(self) -> dict[str, list[str]]:
        """What a person finds: in the queues where events end, in the logs, among what is lost or cannot work."""
        lines = [line for each in self.ran() for line in each.log.splitlines()]
        return {
            "failure queue": [json.loads(one["Body"])["message"] for one in self._take(HUB, "FailureQueue")],
            "dead letters": [
                one["MessageAttributes"]["ERROR_MESSAGE"]["StringValue"]
                for account in (HUB, SPOKE)
                for one in self._take(account, "DeliveryFailureQueue")
            ],
            "dead-letter queue": [
                one["Body"]
                for queue in ("EvaluateImageScanDeadLetterQueue", "ReplicateImageDeadLetterQueue")
                for one in self._take(HUB, queue)
            ],
            "log": [line for line in lines if "WARNING" in line],
            "lost": [one.error_message for one in self.sandbox.lost[self._lost :]],
            "problems": self.sandbox.engine.problems(),
        }

    def notices(self, detail_type: str, repository: str) -> list[Any]:
        """The notices of one kind about a repository, since everything was cleared."""
        events = [one.event for one in self.sandbox.events[self._first :]]
        return [
            event["detail"]
            for event in events
            if event["detail-type"] == detail_type and repository in json.dumps(event["detail"])
        ]

    def physical_id(self, logical_id: str, account: str = HUB) -> str:
        """Name, URL or ARN of a resource."""
        return str(self.sandbox.deployments[account].resources[logical_id].physical_id)

    def take(self, queue: str) -> list[str]:
        """Take the messages of a queue."""
        return [one["Body"] for one in self._take(HUB, queue)]

    def drop_delayed(self, queue: str) -> int:
        """Drop the messages of a queue that are not to be delivered yet; how many there were."""
        return drop_delayed(self.sandbox.deployments[HUB].resources[queue].arn)

    def _take(self, account: str, queue: str) -> list[dict[str, Any]]:
        sqs, url = self.sandbox.client("sqs", account=account), self.physical_id(queue, account)
        taken: list[dict[str, Any]] = []
        while message_count(self.sandbox.deployments[account].resources[queue].arn):
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
            for message in answer["Messages"]:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                taken.append(message)
        return taken


def _listed(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _reduced(statement: dict[str, Any], gone: set[tuple[str, tuple[str, ...]]]) -> dict[str, Any]:
    resources, actions = _listed(statement["Resource"]), _listed(statement["Action"])
    left = [action for action in actions if (action, resources) not in gone]
    return statement if len(left) == len(actions) else {**statement, "Action": left}


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """An index of one small image."""
    layout = write_layout(tmp_path_factory.mktemp("roles") / "image")
    (layout.root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": layout.entries()[:1]}))
    return layout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, layout: Layout) -> Iterator[House]:
    """The house, with a rulebook that wants something of every function. Nobody hears of what the tests prepare."""
    if not (BUILD / "template.yaml").exists():
        pytest.fail("nothing is built yet: run `make build`")

    def load_event(name: str) -> Any:
        return json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))

    data = tmp_path_factory.mktemp("roles") / "data"
    quick = {"redelivery_seconds": 0.02, "longest_window_seconds": 0.02}
    with (
        cncf_distribution(data.with_name("elsewhere"), wants_password=True) as elsewhere,
        Sandbox(
            BUILD, data=data, spokes=[SPOKE], parameters={"OtherRegistries": elsewhere, "SeeWorkloads": "true"}, **quick
        ) as sandbox,
    ):
        house = House(sandbox, layout, load_event, elsewhere)
        sandbox.client("secretsmanager").create_secret(Name=LOGIN, SecretString=docker_config(elsewhere))
        rules = yaml.safe_load(RULEBOOK.substitute(ELSEWHERE=elsewhere))
        RulebookLayer(sandbox).deploy(lambda rulebook: rulebook.update(rules))
        for account in (HUB, SPOKE):
            rule_name = house.physical_id("ForwardToStewardRule", account)
            sandbox.client("events", account=account).disable_rule(Name=rule_name)
        yield house
