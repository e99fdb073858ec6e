"""Whether a request was signed with a secret access key: AWS Signature Version 4, as botocore computes it.

The age of a signature is not checked: the server's clock may have been moved, and its clients' have not. Neither are
the chunks of an S3 upload (`STREAMING-...`), which have signatures of their own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
"""In AWS's words. Services with JSON say it as InvalidSignatureException, those with XML as SignatureDoesNotMatch:
github.com/teralytics/prometheus-ecs-discovery/issues/7, github.com/aws/aws-cli/issues/5447.
"""

_CREDENTIAL = re.compile(r"[^/]+/([0-9]{8})/([^/]+)/([^/]+)/aws4_request")
_QUERY_SIGNATURE = re.compile(r"(?:^|&)X-Amz-Signature=[^&]*")
_UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass(frozen=True)
class _Signature:
    """What a request says of its signature."""

    credential: str
    signed_headers: tuple[str, ...]
    timestamp: str
    signature: str
    is_in_query: bool


def is_signed_with(secret_access_key: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Whether the signature in `Authorization`, or in the query, was made with this secret for this request.

    `target` is path and query as sent, header names are in lower case.
    """
    path, _, query = target.partition("?")
    found = _signature(query, headers)
    match = _CREDENTIAL.fullmatch(found.credential) if found else None
    if found is None or match is None or not found.timestamp.startswith(match[1]):
        return False
    if not {"host", *found.signed_headers} <= set(headers) or "host" not in found.signed_headers:
        return False
    checksum = _checksum(match[3], headers, body, is_in_query=found.is_in_query)
    if checksum is None:
        return False
    if found.is_in_query:
        query = _QUERY_SIGNATURE.sub("", query).removeprefix("&")
    request = AWSRequest(method, f"http://{headers['host']}{path}" + (f"?{query}" if query else ""))
    request.context["timestamp"] = found.timestamp
    signer = _signer(secret_access_key, region=match[2], service=match[3])
    signer.expect(HTTPHeaders.from_dict({name: headers[name] for name in found.signed_headers}), checksum)
    wanted = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return hmac.compare_digest(wanted.encode(), found.signature.encode())


def _signature(query: str, headers: Mapping[str, str]) -> _Signature | None:
    authorization = headers.get("authorization", "")
    if authorization.startswith("AWS4-HMAC-SHA256 "):
        parts = dict(one.strip().partition("=")[::2] for one in authorization.partition(" ")[2].split(","))
        return _Signature(
            parts.get("Credential", ""),
            tuple(parts.get("SignedHeaders", "").split(";")),
            headers.get("x-amz-date", ""),
            parts.get("Signature", ""),
            is_in_query=False,
        )
    given = {name: values[0] for name, values in parse_qs(query).items()}
    if given.get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256":
        return None
    return _Signature(
        given.get("X-Amz-Credential", ""),
        tuple(given.get("X-Amz-SignedHeaders", "").split(";")),
        given.get("X-Amz-Date", ""),
        given.get("X-Amz-Signature", ""),
        is_in_query=True,
    )


def _checksum(service: str, headers: Mapping[str, str], body: bytes, *, is_in_query: bool) -> str | None:
    """What was signed of the body; None when the request says it of another body."""
    actual = hashlib.sha256(body).hexdigest()
    if service != "s3":
        return actual if headers.get("x-amz-content-sha256", actual) == actual else None
    said = headers.get("x-amz-content-sha256", _UNSIGNED if is_in_query else actual)
    return said if said in (actual, _UNSIGNED) or said.startswith("STREAMING-") else None


class _Expected:
    """Makes a signer of botocore take the headers that the client says it signed, and no others."""

    _headers: HTTPHeaders
    _payload: str

    def expect(self, headers: HTTPHeaders, checksum: str) -> None:
        self._headers, self._payload = headers, checksum

    def headers_to_sign(self, _: AWSRequest) -> HTTPHeaders:
        return self._headers

    def payload(self, _: AWSRequest) -> str:
        return self._payload


class _Signer(_Expected, SigV4Auth):
    pass


class _S3Signer(_Expected, S3SigV4Auth):
    pass


def _signer(secret_access_key: str, *, region: str, service: str) -> _Signer | _S3Signer:
    kind = _S3Signer if service == "s3" else _Signer
    return kind(Credentials("", secret_access_key), service, region)
