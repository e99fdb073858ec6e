"""May a deployed role make this API call? The same answer for ECR, for our own operations and for moto's."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local_ecr import Policy, Principal
from local_ecr.access.decision import EVERYTHING
from local_ecr.access.policies import Decision, UnsupportedPolicyError
from sandbox.api_calls import ApiCall, HttpRequest
from sandbox.delivery.wiring import Wiring
from sandbox.moto_gateway import HttpAnswer

_WHY = {
    Decision.NOT_ALLOWED: "because no identity-based policy allows the {action} action",
    Decision.DENIED: "with an explicit deny in a policy",
}
_BATCHES = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations that need the permission of another. Service authorization reference, "Actions" of SQS and SNS."""

_TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


class Access:
    """Asks the policies of the deployed roles. Everybody else may do everything: their policies are not ours."""

    def __init__(self, wiring: Callable[[], Wiring]) -> None:
        self._wiring = wiring

    def refusal(self, principal: Principal, action: str, resource: str) -> str | None:
        """Why the call is refused, in AWS's words; None when it is allowed."""
        wiring = self._wiring()
        role_arn = _role_of(principal, wiring)
        if role_arn is None:
            return None
        refused = f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource}"
        try:
            decision = wiring.role_decision(role_arn, action, resource)
        except UnsupportedPolicyError as cause:  # somebody put such a policy after the deployment
            return f"{refused} because the sandbox cannot tell: {cause}"
        return None if decision is Decision.ALLOWED else f"{refused} {_WHY[decision].format(action=action)}"

    def identities(self, principal: Principal) -> Sequence[Policy]:
        """The identity policies of a principal, for LocalEcr."""
        wiring = self._wiring()
        role_arn = _role_of(principal, wiring)
        if role_arn is None:
            return (EVERYTHING,)
        return tuple(Policy(f"{number}", one) for number, one in enumerate(wiring.roles[role_arn].policies, start=1))

    def refuse(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer | None:
        """The answer to a call to SQS, SNS or DynamoDB that is not allowed; None when it is."""
        if principal.session_name is None:
            return None
        for action, resource in needs(request, call, principal.account):
            if refusal := self.refusal(principal, action, resource):
                return _denied(call, request, refusal)
        return None


def _role_of(principal: Principal, wiring: Wiring) -> str | None:
    """The deployed role that a session is of. The ARN of a session does not have the path of its role."""
    if principal.session_name is None:
        return None
    name = principal.arn.rsplit("/", 2)[1]
    return next(
        (arn for arn in wiring.roles if arn.rsplit("/", 1)[1] == name and arn.split(":")[4] == principal.account), None
    )


def needs(request: HttpRequest, call: ApiCall, account: str) -> list[tuple[str, str]]:
    """Which actions on which resources a call to SQS, SNS or DynamoDB needs; empty for another service."""
    if call.service not in _NEEDS:
        return []
    return list(_NEEDS[call.service](_parameters(request), call, account))


def _of_sqs(parameters: Mapping[str, Any], call: ApiCall, account: str) -> Iterator[tuple[str, str]]:
    resource = "*"
    if url := parameters.get("QueueUrl"):
        owner, name = urlsplit(url).path.strip("/").rsplit("/", 2)[-2:] if "/" in url else (account, url)
        resource = f"arn:aws:sqs:{call.region}:{owner}:{name}"
    elif name := parameters.get("QueueName"):
        owner = parameters.get("QueueOwnerAWSAccountId", account)
        resource = f"arn:aws:sqs:{call.region}:{owner}:{name}"
    elif arn := parameters.get("SourceArn"):
        resource = arn
    action = f"sqs:{call.operation}"
    yield _BATCHES.get(action, action), resource


def _of_sns(parameters: Mapping[str, Any], call: ApiCall, account: str) -> Iterator[tuple[str, str]]:
    resource = parameters.get("TopicArn") or parameters.get("TargetArn") or parameters.get("ResourceArn") or "*"
    if arn := parameters.get("SubscriptionArn"):
        resource = ":".join(arn.split(":")[:6])  # a subscription is protected as its topic
    elif call.operation == "CreateTopic" and "Name" in parameters:
        resource = f"arn:aws:sns:{call.region}:{account}:{parameters['Name']}"
    action = f"sns:{call.operation}"
    yield _BATCHES.get(action, action), resource


def _of_dynamodb(parameters: Mapping[str, Any], call: ApiCall, account: str) -> Iterator[tuple[str, str]]:
    def table(name: str) -> str:
        return name if name.startswith("arn:") else f"arn:aws:dynamodb:{call.region}:{account}:table/{name}"

    if "RequestItems" in parameters:
        names = parameters["RequestItems"]
        yield from ((f"dynamodb:{call.operation}", table(name)) for name in names)
    elif "TransactItems" in parameters:
        for item in parameters["TransactItems"]:
            for kind, wanted in item.items():
                yield f"dynamodb:{_TRANSACTION_ACTIONS.get(kind, kind)}", table(wanted["TableName"])
    elif name := parameters.get("TableName"):
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield f"dynamodb:{call.operation}", table(name) + index
    else:
        yield f"dynamodb:{call.operation}", parameters.get("ResourceArn", "*")


_NEEDS = {"dynamodb": _of_dynamodb, "sns": _of_sns, "sqs": _of_sqs}


def _parameters(request: HttpRequest) -> Mapping[str, Any]:
    if "x-amz-target" in request.headers:
        document: Mapping[str, Any] = json.loads(request.body or b"{}")
        return document
    return dict(parse_qsl(request.query) + parse_qsl(request.body.decode(errors="replace")))


def _denied(call: ApiCall, request: HttpRequest, message: str) -> HttpAnswer:
    """The code under which each service refuses."""
    if call.service == "dynamodb":
        return HttpAnswer.error(400, "AccessDeniedException", message)
    code = "AccessDenied" if call.service == "sqs" else "AuthorizationError"
    if "x-amz-target" in request.headers:
        return HttpAnswer.error(403, code, message)
    return HttpAnswer.query_error(403, code, message)
