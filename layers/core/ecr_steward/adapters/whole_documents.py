"""Documents of ECR with all their members, also those that the installed botocore does not know.

botocore drops what its model of a service lacks when it reads an answer, and refuses it in a request. A configuration
that is replaced as a whole would lose, with every write, whatever a newer ECR keeps there: a flag that somebody set by
another tool. So such answers are read once more, from their bytes, and such requests are sent as they were meant.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.model import ListShape, OperationModel, Shape, StructureShape

WHOLE: Final = "WholeAnswer"
"""The key of an answer that holds it with all its members."""
_READ = ("DescribeRegistry", "GetRegistryScanningConfiguration")
_WRITTEN = ("PutReplicationConfiguration", "PutRegistryScanningConfiguration")
_KEPT = "ecr_steward_whole_request"


def keep_whole_documents(client: BaseClient) -> None:
    """Let a client of ECR read and write them so. To be called once, before the client is used."""
    events = client.meta.events
    set_aside: Any = _set_aside  # the one event whose handlers answer with something, which the stubs do not know
    for operation in _READ:
        events.register(f"after-call.ecr.{operation}", _keep_answer)
    for operation in _WRITTEN:
        events.register(f"provide-client-params.ecr.{operation}", set_aside)
        events.register(f"before-call.ecr.{operation}", _send_whole)


def _keep_answer(http_response: AWSResponse, parsed: dict[str, Any], **_: Any) -> None:
    if http_response.status_code == 200:
        parsed[WHOLE] = json.loads(http_response.content)


def _set_aside(params: dict[str, Any], model: OperationModel, context: dict[str, Any], **_: Any) -> dict[str, Any]:
    """The request as botocore knows it; what it does not know comes back before it is signed."""
    known: dict[str, Any] = _known(model.input_shape, params)
    if known != params:
        context[_KEPT] = params
    return known


def _send_whole(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    if _KEPT in context:
        params["body"] = json.dumps(context[_KEPT]).encode()


def _known(shape: Shape | None, value: Any) -> Any:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        return {name: _known(shape.members[name], each) for name, each in value.items() if name in shape.members}
    if isinstance(shape, ListShape) and isinstance(value, list | tuple):
        return [_known(shape.member, each) for each in value]
    return value
