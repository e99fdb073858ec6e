"""AWS's errors in the steward's words."""

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from ecr_steward.adapters.translation import refusal, translated
from ecr_steward.errors import (
    AccessDeniedError,
    DigestMismatchError,
    ImageNotFoundError,
    ImageTagIsImmutableError,
    PermanentError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RepositoryNotFoundError,
    RetryableError,
    ThrottledError,
)


def client_error(code: str, status: int) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "in its own words"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "PutImage",
    )


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("RepositoryNotFoundException", 400, RepositoryNotFoundError),
        ("ImageNotFoundException", 400, ImageNotFoundError),
        ("ImageTagAlreadyExistsException", 400, ImageTagIsImmutableError),
        ("ImageDigestDoesNotMatchException", 400, DigestMismatchError),
        ("LimitExceededException", 400, RefusedByRegistryError),
        ("LayersNotFoundException", 400, RefusedByRegistryError),
        ("InvalidParameterException", 400, RefusedByRegistryError),
        ("AccessDeniedException", 400, AccessDeniedError),
        ("AccessDenied", 403, AccessDeniedError),
        ("UnrecognizedClientException", 400, AccessDeniedError),
        ("ThrottlingException", 400, ThrottledError),
        ("TooManyRequestsException", 400, ThrottledError),
        ("AnythingNew", 429, ThrottledError),
        ("ServerException", 500, RegistryUnavailableError),
        ("AnythingNew", 503, RegistryUnavailableError),
        ("ExpiredTokenException", 400, RegistryUnavailableError),
        ("AnythingNew", 400, RefusedByRegistryError),
    ],
)
def test_an_error_code_becomes_our_error_with_its_cause(code: str, status: int, error: type[Exception]) -> None:
    cause = client_error(code, status)

    with (
        pytest.raises(error, match=f"ecr:PutImage on team-a/api.*{code}: in its own words") as raised,
        translated("ecr:PutImage", "team-a/api"),
    ):
        raise cause
    assert raised.value.__cause__ is cause


def test_the_missing_permission_is_named_when_access_is_denied() -> None:
    error = refusal("ecr:PutImage", "111122223333/eu-west-1/team-a/api", "AccessDeniedException", "no")

    assert "Allow ecr:PutImage on 111122223333/eu-west-1/team-a/api" in str(error)


@pytest.mark.parametrize(
    ("cause", "error"),
    [
        (EndpointConnectionError(endpoint_url="https://api.ecr"), RetryableError),
        (ReadTimeoutError(endpoint_url="https://api.ecr"), RetryableError),
        (BotoCoreError(), RetryableError),
        (NoCredentialsError(), AccessDeniedError),
        (ParamValidationError(report="too short"), PermanentError),
    ],
)
def test_an_error_before_any_answer_becomes_our_error(cause: BotoCoreError, error: type[Exception]) -> None:
    with pytest.raises(error, match="ecr:PutImage on team-a/api"), translated("ecr:PutImage", "team-a/api"):
        raise cause


def test_other_errors_pass_as_they_are() -> None:
    with pytest.raises(KeyError), translated("ecr:PutImage", "team-a/api"):
        raise KeyError("a mistake of ours")
