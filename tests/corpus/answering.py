"""Clients of AWS that are given real answers where botocore would send a request. What reads them is botocore's."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.utils import parse_timestamp

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.roles import Accounts
from tests.corpus.files import found
from tests.given import aws

_PARSED = ("sts",)
"""Services whose answers are XML: the published ones are as botocore has read them."""

_EVENTS = {"secretsmanager": "secrets-manager"}
"""What botocore's events call a service, where it is not its name."""


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        while some := self.read(65_536):
            yield some


def clients_that_hear(
    *names: str, change: Callable[[Any], Any] = lambda document: document, accounts: Accounts | None = None
) -> AwsClients:
    """Clients whose calls are answered by these answers of the corpus, each operation by the one of its name.

    Another call fails the test. `change` makes an answer fit: it is told what it is.
    """
    session = aws.session()
    emitter = session.get_component("event_emitter")
    sent: dict[str, Callable[[AWSPreparedRequest], AWSResponse]] = {}
    for copy in (found("answers", name) for name in names):
        service, operation, _ = copy.name.split("/")
        operation = f"{_EVENTS.get(service, service)}.{operation}"
        document, status = change(copy.load()), copy.about.get("status", 200)
        if operation.partition(".")[0] in _PARSED:
            emitter.register(f"before-call.{operation}", _parsed(document))
        else:
            sent[f"before-send.{operation}"] = _sent(document, status, is_s3=operation.startswith("s3."))

    def answer(request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        if event_name not in sent:
            raise AssertionError(f"nothing of the corpus answers {event_name}")
        return sent[event_name](request)

    emitter.register("before-send", answer)
    return AwsClients(aws.ONE_TRY, accounts, session)


def _sent(document: Any, status: int, *, is_s3: bool) -> Callable[[AWSPreparedRequest], AWSResponse]:
    headers, body = {"x-amzn-RequestId": "1"}, json.dumps(document).encode()
    if is_s3:  # whose answer is the headers; the published one leaves the object out
        headers |= {"ETag": document["ETag"], "Content-Length": document["ContentLength"]}
        body = b"x" * int(document["ContentLength"])
    return lambda request: AWSResponse(request.url, status, headers, _Body(body))


def _parsed(document: Any) -> Callable[..., tuple[AWSResponse, Mapping[str, Any]]]:
    if "Credentials" in document:
        document["Credentials"]["Expiration"] = parse_timestamp(document["Credentials"]["Expiration"])

    def answer(**_: Any) -> tuple[AWSResponse, Mapping[str, Any]]:
        return AWSResponse("", 200, {}, _Body()), {**document, "ResponseMetadata": {"HTTPStatusCode": 200}}

    return answer
