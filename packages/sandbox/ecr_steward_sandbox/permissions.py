"""What IAM is asked for each call: actions on resources, as the service authorization reference has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest, input_members
from ecr_steward_sandbox.secret_store import secret_arn
from local_ecr.iam import Permission

PARTITION = "aws"
DELEGATED = frozenset({"ecr", "sts"})
"""Services that ask for themselves: ECR has a gate of its own, STS's question depends on what it is told."""

_PREFIXES = {"stepfunctions": "states"}
"""Where a service's actions begin with another word than botocore's name of it."""

_BATCHES = {
    "sns:PublishBatch": "sns:Publish",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:SendMessageBatch": "sqs:SendMessage",
}
"""Operations that need the permission of another. Service authorization reference, "Actions" of SQS and SNS."""

TRANSACTION_ACTIONS = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}


def needs(request: HttpRequest, call: ApiCall, account: str) -> list[Permission]:
    """All that a principal of `account` needs for a call; nothing for a service that asks for itself.

    The resources of a service that no function of ours calls are not known here: a call to it is one on `*`.
    """
    if call.service in DELEGATED:
        return []
    find = _NEEDS.get(call.service)
    if find is None:
        return [Permission(f"{_PREFIXES.get(call.service, call.service)}:{call.operation}", "*")]
    return list(dict.fromkeys(find(request, call, account)))


def _of_sqs(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parameters = asked_parameters(request, call)
    resource = "*"
    url = parameters.get("QueueUrl")
    if url is None and "QueueUrl" in input_members("sqs", call.operation):
        url = request.path  # where moto looks then
    if url:
        owner, name = ["", *urlsplit(url).path.strip("/").split("/")][-2:]
        resource = _arn("sqs", call, owner or account, name)
    elif name := parameters.get("QueueName"):
        resource = _arn("sqs", call, parameters.get("QueueOwnerAWSAccountId", account), name)
    elif arn := parameters.get("SourceArn"):
        resource = arn
    action = f"sqs:{call.operation}"
    yield Permission(_BATCHES.get(action, action), resource)


def _of_sns(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parameters = asked_parameters(request, call)
    resources = [parameters[name] for name in ("TopicArn", "TargetArn", "ResourceArn") if parameters.get(name)]
    if arn := parameters.get("SubscriptionArn"):
        resources = [":".join(arn.split(":")[:6])]  # a subscription is protected as its topic
    elif call.operation == "CreateTopic" and "Name" in parameters:
        resources = [_arn("sns", call, account, parameters["Name"])]
    action = f"sns:{call.operation}"
    for resource in resources or ["*"]:
        yield Permission(_BATCHES.get(action, action), resource)


def _of_dynamodb(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parameters = asked_parameters(request, call)

    def table(name: str) -> str:
        return name if name.startswith("arn:") else _arn("dynamodb", call, account, f"table/{name}")

    if "RequestItems" in parameters:
        for name in parameters["RequestItems"]:
            yield Permission(f"dynamodb:{call.operation}", table(name))
    elif "TransactItems" in parameters:
        for item in parameters["TransactItems"]:
            for kind, wanted in item.items():
                action = f"dynamodb:{TRANSACTION_ACTIONS.get(kind, kind)}"
                yield Permission(action, table(wanted["TableName"]))
    elif name := parameters.get("TableName"):
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        yield Permission(f"dynamodb:{call.operation}", table(name) + index)
    else:
        yield Permission(f"dynamodb:{call.operation}", parameters.get("ResourceArn", "*"))


def _of_events(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parameters = asked_parameters(request, call)

    def bus(name: str | None) -> str:
        name = name or "default"
        return name if name.startswith("arn:") else _arn("events", call, account, f"event-bus/{name}")

    action = f"events:{call.operation}"
    if call.operation == "PutEvents":
        for entry in parameters.get("Entries") or [{}]:
            yield Permission(action, bus(entry.get("EventBusName")))
    elif call.operation.endswith(("EventBus", "Permission")):
        yield Permission(action, bus(parameters.get("Name") or parameters.get("EventBusName")))
    elif name := parameters.get("Rule") or (parameters.get("Name") if call.operation.endswith("Rule") else None):
        on_bus = bus(parameters.get("EventBusName")).rpartition("/")[2]
        yield Permission(
            action, _arn("events", call, account, f"rule/{name if on_bus == 'default' else f'{on_bus}/{name}'}")
        )
    else:
        yield Permission(action, parameters.get("ResourceARN", "*"))


def _of_lambda(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parts = [unquote(part) for part in request.path.strip("/").split("/")]
    action = "InvokeFunction" if call.operation in ("Invoke", "InvokeAsync") else call.operation
    resource = "*"
    if len(parts) > 2 and parts[1] == "functions":
        resource = function_arn(parts[2], call, account)
    elif len(parts) > 2 and parts[1] == "layers":
        version = f":{parts[4]}" if len(parts) > 4 and call.operation != "PublishLayerVersion" else ""
        resource = _arn("lambda", call, account, f"layer:{parts[2]}{version}")
    yield Permission(f"lambda:{action}", resource)
    if call.operation in ("CreateFunction", "UpdateFunctionConfiguration"):
        for layer in asked_parameters(request, call).get("Layers") or []:
            yield Permission("lambda:GetLayerVersion", layer)


def _of_ecs(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parameters = asked_parameters(request, call)
    kind = {"DescribeServices": "service", "DescribeTasks": "task"}.get(call.operation)
    names = parameters.get(f"{kind}s", ()) if kind else ["*"]
    cluster = parameters.get("cluster", "default").rpartition("/")[2]
    for name in names:
        is_named = kind is not None and not name.startswith("arn:")
        yield Permission(
            f"ecs:{call.operation}", _arn("ecs", call, account, f"{kind}/{cluster}/{name}") if is_named else name
        )


def _of_secretsmanager(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    parameters = asked_parameters(request, call)
    resources = ["*"]
    if call.operation == "CreateSecret":
        resources = [_arn("secretsmanager", call, account, f"secret:{parameters.get('Name', '')}")]
    elif call.operation == "BatchGetSecretValue":
        yield Permission("secretsmanager:BatchGetSecretValue", "*")
        resources = [secret_arn(account, call.region, one) for one in parameters.get("SecretIdList") or []] or ["*"]
    elif secret_id := parameters.get("SecretId"):
        resources = [secret_arn(account, call.region, secret_id)]
    operation = "GetSecretValue" if call.operation == "BatchGetSecretValue" else call.operation
    for resource in resources:
        yield Permission(f"secretsmanager:{operation}", resource)
    if call.operation == "CreateSecret" and parameters.get("Tags"):
        yield Permission("secretsmanager:TagResource", resources[0])


_S3_ACTIONS = {
    "CopyObject": "PutObject",
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "UploadPart": "PutObject",
}
"""Operations of S3 that need an action of another name. S3 User Guide, "Required permissions for Amazon S3 API"."""


def _of_s3(request: HttpRequest, call: ApiCall, account: str) -> Iterator[Permission]:
    bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
    resource = f"arn:{PARTITION}:s3:::{bucket}{f'/{key}' if key else ''}" if bucket else "*"
    yield Permission(f"s3:{_S3_ACTIONS.get(call.operation, call.operation)}", resource)


_NEEDS: Mapping[str, Callable[[HttpRequest, ApiCall, str], Iterator[Permission]]] = {
    "dynamodb": _of_dynamodb,
    "ecs": _of_ecs,
    "events": _of_events,
    "lambda": _of_lambda,
    "s3": _of_s3,
    "secretsmanager": _of_secretsmanager,
    "sns": _of_sns,
    "sqs": _of_sqs,
}


def function_arn(name: str, call: ApiCall, account: str) -> str:
    """The unqualified ARN of a function that is given by ARN, by `ACCOUNT:function:NAME` or by name."""
    if name.startswith("arn:"):
        return ":".join(name.split(":")[:7])
    owner, _, rest = name.rpartition(":function:")
    return _arn("lambda", call, owner.rpartition(":")[2] or account, f"function:{rest.split(':')[0]}")


def asked_parameters(request: HttpRequest, call: ApiCall) -> Mapping[str, Any]:
    """What is asked for that the operation knows: whatever else is in the request, moto asks nothing of it.

    Raises ValueError for a body that is no JSON.
    """
    known = input_members(call.service, call.operation)
    return {name: value for name, value in read_parameters(request).items() if name.partition(".")[0] in known}


def read_parameters(request: HttpRequest) -> Mapping[str, Any]:
    """What is asked for, from a JSON body, or from a form or else the query, as moto reads it.

    Of a REST service, what the path says is not among it. Raises ValueError for a body that is no JSON.
    """
    kind = request.headers.get("content-type", "")
    if "x-amz-target" in request.headers or kind.startswith("application/json"):
        document: Mapping[str, Any] = json.loads(request.body or b"{}")
        return document
    return dict(parse_qsl(request.body.decode(errors="replace")) or parse_qsl(request.query))


def _arn(service: str, call: ApiCall, account: str, resource: str) -> str:
    return f"arn:{PARTITION}:{service}:{call.region}:{account}:{resource}"
