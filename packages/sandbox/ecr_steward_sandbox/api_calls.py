"""Which AWS operation an HTTP request means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, parse_qsl, unquote

from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader
from botocore.model import ServiceModel

SIGNING_NAMES = {"monitoring": "cloudwatch", "states": "stepfunctions", "email": "ses"}
"""Where a service signs by another name than botocore knows it by."""

READING_VERBS = (
    "Get",
    "List",
    "Describe",
    "BatchGet",
    "Head",
    "Query",
    "Scan",
    "TransactGet",
    "Receive",
    "Lookup",
    "Test",
    "Search",
    "Filter",
    "Assume",
    "Simulate",
)

_SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_RPC_PATH = re.compile(r"/service/[^/]+/operation/(\w+)")


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came. Header names are lower case; `target` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Path as sent, still quoted."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Query string as sent."""
        return self.target.partition("?")[2]

    @property
    def sender_keys(self) -> Mapping[str, str]:
        """The condition keys that say by what the request was sent."""
        user_agent = self.headers.get("user-agent")
        return {"aws:UserAgent": user_agent} if user_agent else {}


@dataclass(frozen=True)
class ApiCall:
    """What a request asks for."""

    service: str
    region: str
    operation: str
    access_key_id: str
    session_token: str | None = None

    @property
    def is_mutating(self) -> bool:
        """Whether the operation changes anything, by the verb that its name begins with."""
        return not self.operation.startswith(READING_VERBS)


class AmbiguousRequestError(ValueError):
    """The request can be read in two ways: what is decided about one must not let the other one happen."""


def read_call(request: HttpRequest, default_region: str) -> ApiCall:
    """Read service, region and key from the signature, and the operation from wherever the protocol puts it.

    Raises AmbiguousRequestError.
    """
    signed = request.headers.get("authorization", "") or unquote(request.query).replace(
        "X-Amz-Credential", "Credential"
    )
    match = _SCOPE.search(signed)
    key, _, region, name = match.groups() if match else ("", "", default_region, "")
    service = SIGNING_NAMES.get(name, name)
    token = request.headers.get("x-amz-security-token") or _query_value(request, "X-Amz-Security-Token")
    operation = _operation(service, request)
    _require_one_reading(request)
    return ApiCall(service, region, operation, key, token)


def _require_one_reading(request: HttpRequest) -> None:
    """Refuse what says a parameter twice, or in a query beside a body that is for them: moto may take the other one."""
    body = parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True) if _is_form(request) else []
    names = [name for name, _ in body]
    if repeated := sorted({name for name in names if names.count(name) > 1} - {"Action"}):
        raise AmbiguousRequestError(f"The request names a parameter more than once: {', '.join(repeated)}")
    query = {name for name, _ in parse_qsl(request.query, keep_blank_values=True) if not name.startswith("X-Amz-")}
    if (names or "x-amz-target" in request.headers) and query - {"Action"}:
        raise AmbiguousRequestError("The request has parameters in its query beside those of its body")


def _is_form(request: HttpRequest) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _query_value(request: HttpRequest, name: str) -> str | None:
    return parse_qs(request.query).get(name, [None])[0]


def _operation(service: str, request: HttpRequest) -> str:
    named = set(_named_operations(request))
    if len(named) > 1:
        raise AmbiguousRequestError(f"The request names more than one operation: {', '.join(sorted(named))}")
    if named:
        return named.pop()
    asked = set(parse_qs(request.query, keep_blank_values=True))
    for method, pattern, query, operation in _rest_operations(service):
        if method == request.method and pattern.fullmatch(request.path) and query <= asked:
            if operation == "CopyObject" and "x-amz-copy-source" not in request.headers:
                continue  # of S3's operations with one method and path, the one that only a header tells
            return operation
    return f"{request.method} {request.path}"


def _named_operations(request: HttpRequest) -> Iterator[str]:
    if target := request.headers.get("x-amz-target"):
        yield target.rpartition(".")[2]
    if match := _RPC_PATH.fullmatch(request.path):
        yield match.group(1)
    for text in (request.query, request.body.decode(errors="replace") if _is_form(request) else ""):
        yield from parse_qs(text).get("Action", ())


def protocol_of(service: str) -> str:
    """What a service speaks, in botocore's words (`rest-json`); empty for a service that botocore does not know."""
    model = _model(service)
    return "" if model is None else str(model.metadata["protocol"])


@cache
def input_members(service: str, operation: str) -> frozenset[str]:
    """Names of what an operation can be told; none for one that botocore does not know."""
    model = _model(service)
    if model is None or operation not in model.operation_names:
        return frozenset()
    shape = model.operation_model(operation).input_shape
    return frozenset(() if shape is None else shape.members)


@cache
def _model(service: str) -> ServiceModel | None:
    try:
        return ServiceModel(Loader().load_service_model(service, "service-2"), service)
    except UnknownServiceError:
        return None


@cache
def _rest_operations(service: str) -> tuple[tuple[str, re.Pattern[str], frozenset[str], str], ...]:
    """Method, path, names in the query and name of each operation of a REST service, the more specific ones first."""
    model = _model(service)
    if model is None or not protocol_of(service).startswith("rest"):
        return ()
    found: list[tuple[int, int, str, re.Pattern[str], frozenset[str], str]] = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        path = path.rstrip("/") or "/"
        names = frozenset(parse_qs(query, keep_blank_values=True)) - {"x-id"}
        fixed = re.sub(r"\{\w+\+?\}", "", path)
        pattern = re.sub(r"\\\{\w+(\\\+)?\\\}", lambda part: ".+" if part.group(1) else "[^/]+", re.escape(path))
        found.append((-len(fixed), -len(names), http["method"], re.compile(pattern + "/?"), names, name))
    found.sort(key=lambda item: (item[0], item[1], item[5]))
    return tuple((method, pattern, names, name) for _, _, method, pattern, names, name in found)
