"""AWS's errors in the steward's words. The one place that knows the error codes of AWS."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from ecr_steward.errors import (
    AccessDeniedError,
    BackfillUnderWayError,
    DigestMismatchError,
    ImageIsListedError,
    ImageNotFoundError,
    ImageTagIsImmutableError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    StewardError,
    ThrottledError,
)

_BY_CODE: dict[str, type[StewardError]] = {
    "RepositoryNotFoundException": RepositoryNotFoundError,
    "ImageNotFoundException": ImageNotFoundError,
    "ImageTagAlreadyExistsException": ImageTagIsImmutableError,
    "ImageDigestDoesNotMatchException": DigestMismatchError,
    "ReplicationBackfillInProgressException": BackfillUnderWayError,
    # Not throttling, whatever botocore thinks of the name: an image holds 1,000 tags already, or the like.
    "LimitExceededException": RefusedByRegistryError,
    # Credentials that ran out while the function was at work: the next invocation has fresh ones.
    "ExpiredToken": RegistryUnavailableError,
    "ExpiredTokenException": RegistryUnavailableError,
    "RequestExpired": RegistryUnavailableError,
    # Codes of a failures[] entry
    "ImageNotFound": ImageNotFoundError,
    "ImageReferencedByManifestList": ImageIsListedError,
    "UpstreamAccessDenied": AccessDeniedError,
    "UpstreamTooManyRequests": ThrottledError,
    "UpstreamUnavailable": RegistryUnavailableError,
}
_THROTTLING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""As botocore's standard retry mode has them (``botocore/retries/standard.py``)."""
_DENIED = frozenset(
    {
        "AuthFailure",
        "AuthorizationError",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
_UNAVAILABLE = frozenset(
    {"InternalError", "InternalFailure", "InternalServerError", "RequestTimeout", "RequestTimeoutException"}
    | {"ServerException", "ServiceUnavailable", "ServiceUnavailableException"}
)


@contextmanager
def translated(action: str, resource: object) -> Iterator[None]:
    """Translate whatever botocore raises inside. ``action`` is the IAM action, such as ``ecr:PutImage``."""
    try:
        yield
    except ClientError as cause:
        code, message = code_of(cause), cause.response.get("Error", {}).get("Message", "")
        status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise refusal(action, resource, code, message, status) from cause
    except ParamValidationError as cause:
        raise RefusedByRegistryError(f"{action} on {resource}: {cause}") from cause
    except (NoCredentialsError, PartialCredentialsError) as cause:
        raise AccessDeniedError(f"{action} on {resource}: {cause}") from cause
    except ResponseParserError as cause:
        raise RefusedByRegistryError(f"{action} on {resource}: the answer is not one of this service of AWS") from cause
    except BotoCoreError as cause:
        raise RegistryUnavailableError(f"{action} on {resource}: {cause}") from cause


def code_of(error: ClientError) -> str:
    """The error code of an AWS answer, such as ``RepositoryNotFoundException``."""
    return error.response.get("Error", {}).get("Code", "")


def refusal(action: str, resource: object, code: str, message: str, status: int = 0) -> StewardError:
    """The error for an error code: of an answer, or of an entry in its ``failures[]``."""
    said = f"{action} on {resource}: {code}: {message}"
    if code in _BY_CODE:
        return _BY_CODE[code](said)
    if code in _THROTTLING or status == 429:
        return ThrottledError(said)
    if code in _DENIED or code.startswith("AccessDenied"):
        return AccessDeniedError(f"not allowed: {said}. Allow {action} on {resource} to the caller's role")
    if code in _UNAVAILABLE or status >= 500:
        return RegistryUnavailableError(said)
    return RefusedByRegistryError(said)
