"""What functions ask for as the roles of the deployed stacks, and whether it is allowed: JSON lines, a file a sandbox.

Nothing is written unless the environment variable ECR_STEWARD_SANDBOX_RIGHTS names a folder. The first line has the
roles of the hub's stack. Each further line is a request unlike those before it: the resources of a stack have their
logical ids, and accounts, regions and names that users choose are the same in every run, so that runs can be compared.
"""

from __future__ import annotations

import json
import os
import re
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ecr_steward_sandbox.deploy import Deployment
from local_ecr import AccessDecision
from local_ecr.iam import UNKNOWN, Call, Context, Judgement

VARIABLE: Final = "ECR_STEWARD_SANDBOX_RIGHTS"
DELIVERY: Final = "delivery"
"""The face of what AWS services do as a role: poll a queue, write to the target of a rule or schedule."""

HUB, SPOKE, OTHER = "111122223333", "222233334444", "333344445555"
HOME, AWAY = "us-east-1", "eu-west-1"

_FEW_VALUES: Final = frozenset(
    {
        "dynamodb:LeadingKeys",
        "ecr:AccountSetting",
        "events:detail-type",
        "events:source",
        "iam:AWSServiceName",
        "iam:PassedToService",
        "sts:RoleSessionName",
    }
)
"""Condition keys that are written with their values; of the others the name alone is."""

_OF_ONE_TAG: Final = re.compile(r"(aws:RequestTag/).+")
_OF_CALLS: Final = re.compile(r"aws:(?!RequestTag/|TagKeys$)|ecr:ResourceTag/", re.IGNORECASE)
"""Keys of every call (when it comes, how, and as which principal) and of a repository that users gave resource tags."""


def rights_log(deployments: Sequence[Deployment]) -> RightsLog | None:
    """The log of a new sandbox, whose hub comes first; None where no folder is named. Raises OSError."""
    folder = os.environ.get(VARIABLE)
    return RightsLog(Path(folder), deployments) if folder else None


class RightsLog:
    """Writes each new kind of request at once; safe to use from any thread."""

    def __init__(self, folder: Path, deployments: Sequence[Deployment]) -> None:
        """Creates the folder, and a file there. Raises OSError."""
        hub = deployments[0]
        self._region = hub.region
        self._accounts = {hub.account: HUB, **{one.account: SPOKE for one in deployments[1:]}}
        self._roles = {
            one.arn: f"{'hub' if deployment is hub else 'spoke'}/{one.logical_id}"
            for deployment in deployments
            for one in deployment.of_type("AWS::IAM::Role")
        }
        self._arns = dict(_logical_arns(deployments))
        self._prefixes = {one.physical_id: one.logical_id for one in hub.of_type("AWS::IAM::Role")}
        self._lock = threading.Lock()
        self._written: set[str] = set()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / f"{uuid.uuid4().hex}.jsonl"
        self._write({"roles": sorted(self._prefixes.values())})

    def heard(self, decision: AccessDecision) -> None:
        """A decision about a request; what no function sent, or not as a role of a stack, is passed over."""
        if decision.evidence is not None and _is_a_functions(decision.evidence.call.context):
            self._note(decision.face, decision.evidence.call, decision.is_allowed)

    def delivered(self, call: Call, judgement: Judgement) -> None:
        """A decision about what an AWS service does as a role."""
        self._note(DELIVERY, call, judgement.is_allowed)

    def _note(self, face: str, call: Call, is_allowed: bool) -> None:
        principal = call.principal
        role = self._roles.get(principal.role_arn or "") if principal is not None else None
        if principal is None or role is None:
            return
        is_assumed = face != DELIVERY and not role.endswith("FunctionRole")
        self._write(
            {
                "role": role,
                "session": principal.name.rpartition("/")[2] if is_assumed else "",
                "face": face,
                "action": call.action,
                "resource": self._resource(call.resource),
                "keys": dict(sorted(_keys(call.context))),
                "is_allowed": is_allowed,
            }
        )

    def _write(self, line: Mapping[str, Any]) -> None:
        text = json.dumps(line)
        with self._lock:
            if text not in self._written:
                self._written.add(text)
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(f"{text}\n")

    def _resource(self, arn: str) -> str:
        """The ARN with the names that it has in every run."""
        if arn.count(":") < 5:
            return arn
        head, partition, service, region, account, name = self._arns.get(arn, arn).split(":", 5)
        region = region and (HOME if region == self._region else AWAY)
        account = account and self._accounts.get(account, OTHER)
        if arn not in self._arns:
            name = self._chosen(service, name)
        return ":".join((head, partition, service, region, account, name))

    def _chosen(self, service: str, name: str) -> str:
        """What stands for the name of a resource that is not a stack's: a user chose it."""
        match service:
            case "ecr" | "ecs" | "secretsmanager":
                return f"{name.partition('/')[0]}/*"
            case "lambda":
                return "function:*"
            case "iam":
                of_ours = [known for known in self._prefixes if name.startswith(f"role/{known}-")]
                return f"role/{self._prefixes[of_ours[0]]}-*" if of_ours else name
        return name


def _is_a_functions(context: Context) -> bool:
    """Whether the core's clients sent it, or another one in a worker: tests ask with a role's credentials, too."""
    user_agent = str(context.get("aws:UserAgent", ""))
    return user_agent == "ecr-steward" or user_agent.startswith("python-urllib3/") or "AWS_Lambda" in user_agent


def _logical_arns(deployments: Sequence[Deployment]) -> Iterator[tuple[str, str]]:
    """The ARN of each resource of the stacks, and the same with its logical id."""
    for deployment in deployments:
        for one in deployment.resources.values():
            if one.arn is not None:
                name = re.split("[:/]", one.arn)[-1]
                yield one.arn, one.arn.removesuffix(name) + one.logical_id


def _keys(context: Context) -> Iterator[tuple[str, list[str]]]:
    """The condition keys of one action or service, as the service authorization reference names them."""
    for name, value in context.items():
        if _OF_CALLS.match(name):
            continue
        values = [value] if isinstance(value, str) else list(value)
        told = sorted({_group(one) for one in values}) if name in _FEW_VALUES else []
        yield _OF_ONE_TAG.sub(r"\1${TagKey}", name), told


def _group(value: str) -> str:
    """A value without what differs from one item of a table to the next: `lease#*` for `lease#sha256:...`."""
    if value == UNKNOWN:
        return "(unknown)"
    kind, hash_sign, _ = value.partition("#")
    return f"{kind}#*" if hash_sign else value
