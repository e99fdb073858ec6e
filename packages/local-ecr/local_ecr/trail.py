"""CloudTrail's records of calls, as EventBridge delivers them: `AWS API Call via CloudTrail`.

Sources: ECR user guide, "Logging Amazon ECR actions with AWS CloudTrail"; CloudTrail user guide, "CloudTrail record
contents". A call of the /v2/ face is recorded as the operation that it is at ECR, made by ECR itself in the caller's
name: github.com/aws/containers-roadmap/issues/244 and 1634.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from local_ecr.control.protocol import service_model
from local_ecr.events import envelope, timestamp
from local_ecr.names import InvalidNameError, Registry, parse_repository_arn
from local_ecr.principals import Principal, user_identity
from local_ecr.requests import is_mutating
from local_ecr.services import Services

API_CALL = "AWS API Call via CloudTrail"
INTERNAL = "AWS Internal"

MAX_FIELD = 100 * 1024  # bytes of requestParameters or responseElements (CloudTrail record contents)
MAX_MESSAGE = 1024

# Requests of OCI distribution that ECR's API has no operation for: a trail cannot have heard of them.
_NO_OPERATIONS = frozenset({"Ping", "GetLayerUpload", "CancelLayerUpload"})

# IAM's refusal has another name in a record than in an answer.
_ERROR_CODES = {"AccessDeniedException": "AccessDenied"}


@dataclass(frozen=True)
class Sender:
    """Where a call came from, as a record tells it."""

    source_ip: str
    user_agent: str
    is_internal: bool = False
    """Whether AWS made the call: ECR for a client of the /v2/ face, or a service that `source_ip` names."""


FRONTEND = Sender(INTERNAL, INTERNAL, is_internal=True)


@dataclass(frozen=True)
class ApiCall:
    """A call of an operation, made or refused."""

    operation: str
    principal: Principal
    registry: Registry
    """Which registry was addressed."""
    parameters: Mapping[str, Any] | None
    """The input; None when it could not be read."""
    response: Mapping[str, Any] | None
    """The output in the API's JSON; None when the call was refused."""
    error: tuple[str, str] | None
    """Code and message of the refusal."""
    request_id: str
    sender: Sender


def wants(ecr: Services, operation: str) -> bool:
    """Whether there is a trail that records such calls."""
    return ecr.trail and operation not in _NO_OPERATIONS and (ecr.trail_reads or is_mutating(operation))


def tell_trail(ecr: Services, call: ApiCall) -> None:
    """Deliver the records of a call, if there is a trail that wants them."""
    if not wants(ecr, call.operation):
        return
    for registry, event in records_of(call, ecr.clock()):
        ecr.store.deliver(registry, event)


def records_of(call: ApiCall, now: datetime) -> list[tuple[Registry, dict[str, Any]]]:
    """One record for the caller's account, and one for the registry's owner when that is another."""
    own = Registry(call.principal.account, call.registry.region)
    receivers = list(dict.fromkeys((own, call.registry)))
    record = _record(call, now)
    if len(receivers) > 1:
        record["sharedEventID"] = str(uuid.uuid4())
    return [(one, envelope(one, API_CALL, _received(record, one.account), now)) for one in receivers]


def _received(record: Mapping[str, Any], account: str) -> dict[str, Any]:
    return {**record, "eventID": str(uuid.uuid4()), "recipientAccountId": account}


def _record(call: ApiCall, now: datetime) -> dict[str, Any]:
    read_only = not is_mutating(call.operation)
    identity = user_identity(call.principal)
    if call.sender.is_internal:
        identity["invokedBy"] = call.sender.source_ip
    refusal = {}
    if call.error is not None:
        code, message = call.error
        refusal = {"errorCode": _ERROR_CODES.get(code, code), "errorMessage": message[:MAX_MESSAGE]}
    given, made = _shapes(call.operation)
    response = None if read_only or call.response is None else _told(made, call.response)
    return {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": timestamp(now),
        "eventSource": "ecr.amazonaws.com",
        "eventName": call.operation,
        "awsRegion": call.registry.region,
        "sourceIPAddress": call.sender.source_ip,
        "userAgent": call.sender.user_agent,
        **refusal,
        "requestParameters": _limited("requestParameters", _told(given, call.parameters)),
        "responseElements": _limited("responseElements", response or None),
        "requestID": call.request_id,
        "eventID": "",
        "readOnly": read_only,
        "resources": [{"accountId": owner, "ARN": arn} for owner, arn in _resources(call)],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "",
        "eventCategory": "Management",
    }


def _resources(call: ApiCall) -> list[tuple[str, str]]:
    """Account and ARN of the repository that a call is about, whether or not it is there."""
    parameters = call.parameters or {}
    if arn := parameters.get("resourceArn"):
        try:
            return [(parse_repository_arn(arn)[0].account, arn)]
        except InvalidNameError:
            return []
    name = parameters.get("repositoryName")
    return [(call.registry.account, call.registry.repository_arn(name))] if name else []


def _shapes(operation: str) -> tuple[Shape | None, Shape | None]:
    """Of input and output; none of MountLayer, which is in trails and not in the API."""
    if operation not in service_model().operation_names:
        return None, None
    model = service_model().operation_model(operation)
    return model.input_shape, model.output_shape


def _told(shape: Shape | None, value: Any) -> Any:
    """A value as a record shows it: moments in Java's words, no bytes of layers, `key` and `value` of resource tags."""
    if value is None or shape is None:
        return value
    if isinstance(shape, StructureShape):
        shown = {name: item for name, item in value.items() if shape.members[name].type_name != "blob"}
        return {_lower(name): _told(shape.members[name], item) for name, item in shown.items()}
    if isinstance(shape, ListShape):
        return [_told(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return in_java_words(datetime.fromtimestamp(value, UTC))
    return value


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def in_java_words(moment: datetime) -> str:
    """`Nov 16, 2026, 1:54:34 AM`, as the records of ECR have moments inside of requests and answers."""
    hour = moment.hour % 12 or 12
    return f"{moment:%b} {moment.day}, {moment.year}, {hour}:{moment:%M:%S %p}"


def _limited(field: str, value: Any) -> Any:
    """The value, or that it was left out for its size."""
    size = len(json.dumps(value))
    return value if size <= MAX_FIELD else {"reason": f"{field} too large", "omitted": True, "originalSize": size}
