"""A login is tried where it will be used. What is unclear is never taken for a yes, and no secret is ever told."""

import base64
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.login_trial import NOWHERE, LoginTrial
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.adapters.role_logins import RoleLogins
from ecr_steward.adapters.roles import Accounts
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.credentials import AuthorizationToken, SecretText
from ecr_steward.domain.images import OCI_INDEX, OCI_MANIFEST
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import (
    AccessDeniedError,
    CredentialRefusedError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RoleNotAssumableError,
    StewardError,
    ThrottledError,
)
from tests.given import aws

HOME = RegistryRef("111122223333", "us-east-1")
UPLOADS, MANIFEST, BLOB = "/v2/api/blobs/uploads/", f"/v2/api/manifests/{NOWHERE}", f"/v2/api/blobs/{NOWHERE}"
UPLOAD = f"{UPLOADS}one"
CANARY = "canary-password"
BASIC = base64.b64encode(f"AWS:{CANARY}".encode()).decode()

Reply = Callable[..., Any]


@pytest.fixture
def trial(server: Any, transport: Transport) -> LoginTrial:
    token = AuthorizationToken(HOME, "pull-only", server.url, "AWS", SecretText(CANARY), datetime.now(UTC))
    return LoginTrial(token, transport)


def refusing(status: int) -> bytes:
    return f'{{"errors": [{{"code": "DENIED", "message": "{BASIC} {CANARY} {status}"}}]}}'.encode()


# ---------------------------------------------------------------- pushing


def test_push_is_refused_only_by_403(server: Any, trial: LoginTrial, reply_with: Reply) -> None:
    server.on("POST", UPLOADS, reply_with(403, refusing(403)))

    assert trial.may_push("api") is False
    assert server.logins == [f"Basic {BASIC}"]


@pytest.mark.parametrize("status", [201, 202])
def test_an_accepted_upload_is_cancelled(server: Any, trial: LoginTrial, reply_with: Reply, status: int) -> None:
    server.on("POST", UPLOADS, reply_with(status, b"", {"Location": UPLOAD}))
    server.on("DELETE", UPLOAD, reply_with(204))

    assert trial.may_push("api") is True
    assert server.methods() == ["POST", "DELETE"]


def test_an_accepted_upload_counts_when_it_cannot_be_cancelled(
    server: Any, trial: LoginTrial, reply_with: Reply, caplog: pytest.LogCaptureFixture
) -> None:
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": UPLOAD}))
    server.on("DELETE", UPLOAD, reply_with(500, refusing(500)))

    with caplog.at_level(logging.DEBUG):
        assert trial.may_push("api") is True

    assert "is not cancelled" in caplog.text
    assert CANARY not in caplog.text
    assert BASIC not in caplog.text


def test_push_counts_as_allowed_when_only_the_repository_is_missing(
    server: Any, trial: LoginTrial, reply_with: Reply
) -> None:
    server.on("POST", UPLOADS, reply_with(404))

    assert trial.may_push("api") is True


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, ThrottledError),
        (500, RegistryUnavailableError),
        (503, RegistryUnavailableError),
        (401, AccessDeniedError),
        (400, RefusedByRegistryError),
        (405, RefusedByRegistryError),
        (307, RefusedByRegistryError),
    ],
)
def test_an_unclear_answer_to_an_upload_is_an_error(
    server: Any, trial: LoginTrial, reply_with: Reply, status: int, error: type[StewardError]
) -> None:
    server.on("POST", UPLOADS, reply_with(status, refusing(status), {"Location": UPLOAD}))

    with pytest.raises(error) as raised:
        trial.may_push("api")
    assert CANARY not in repr(raised.value)
    assert BASIC not in repr(raised.value)


def test_the_login_stays_at_home_when_the_upload_is_said_to_be_elsewhere(
    server: Any, new_server: Callable[[], Any], trial: LoginTrial, reply_with: Reply
) -> None:  # CVE-2026-50151
    thief = new_server()
    server.on("POST", UPLOADS, reply_with(202, b"", {"Location": f"{thief.url}{UPLOAD}"}))

    with pytest.raises(RefusedByRegistryError):
        trial.may_push("api")
    assert thief.received == []


# ---------------------------------------------------------------- pulling


def test_who_is_told_that_nothing_is_there_may_pull(server: Any, trial: LoginTrial, reply_with: Reply) -> None:
    server.on("GET", MANIFEST, reply_with(404))
    server.on("GET", BLOB, reply_with(404))

    assert trial.may_pull("api", None) is True
    assert server.methods() == ["GET", "GET"]


def test_content_of_an_index_is_that_of_its_first_image(server: Any, trial: LoginTrial, reply_with: Reply) -> None:
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": f"sha256:{'c' * 64}", "size": 2}
    image = json.dumps({"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}).encode()
    child = {"mediaType": OCI_MANIFEST, "digest": digest_of(image).value, "size": len(image)}
    index = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).encode()
    for content, media_type in ((image, OCI_MANIFEST), (index, OCI_INDEX)):
        server.on(
            "GET", f"/v2/api/manifests/{digest_of(content)}", reply_with(200, content, {"Content-Type": media_type})
        )
    server.on("GET", f"/v2/api/blobs/{config['digest']}", reply_with(403), reply_with(200, b"{}"))

    assert trial.may_pull("api", digest_of(index)) is False
    assert trial.may_pull("api", digest_of(index)) is True


@pytest.mark.parametrize("path", [MANIFEST, BLOB], ids=["manifest", "content"])
@pytest.mark.parametrize("status", [401, 403])
def test_who_is_refused_may_not_pull(server: Any, trial: LoginTrial, reply_with: Reply, path: str, status: int) -> None:
    server.on("GET", path, reply_with(status, refusing(status)))

    assert trial.may_pull("api", None) is False


@pytest.mark.parametrize("path", [MANIFEST, BLOB], ids=["manifest", "content"])
@pytest.mark.parametrize(("status", "error"), [(429, ThrottledError), (503, RegistryUnavailableError)])
def test_an_unclear_answer_to_a_pull_is_an_error(
    server: Any, trial: LoginTrial, reply_with: Reply, *, path: str, status: int, error: type[StewardError]
) -> None:
    server.on("GET", path, reply_with(status, refusing(status)))

    with pytest.raises(error) as raised:
        trial.may_pull("api", None)
    assert CANARY not in repr(raised.value)


# ---------------------------------------------------------------- fetching


@pytest.fixture
def logins(transport: Transport) -> RoleLogins:
    clients = aws.clients("OURS", accounts=Accounts(HOME.account))
    return RoleLogins(clients, {"pull-only": "the-role"}, transport)


@pytest.fixture
def as_caller(logins: RoleLogins) -> Callable[[str], Any]:
    """Have STS say who we are, and that is all that it is asked."""

    def as_caller(arn: str) -> Any:
        stubber = Stubber(logins._clients.sts)
        stubber.add_response("get_caller_identity", {"Arn": arn, "Account": arn.split(":")[4], "UserId": "x"})
        stubber.add_client_error("assume_role", "AccessDenied")
        return stubber

    return as_caller


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::111122223333:assumed-role/the-role/refresh_credentials",
        "arn:aws-cn:sts::111122223333:assumed-role/The-Role/i-0123",
    ],
)
def test_no_login_is_fetched_as_ourselves(logins: RoleLogins, as_caller: Callable[[str], Any], arn: str) -> None:
    with as_caller(arn), pytest.raises(CredentialRefusedError, match="the-role is the role of this function itself"):
        logins.fetch(HOME, "pull-only")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::222233334444:assumed-role/the-role/session",
        "arn:aws:sts::111122223333:assumed-role/the-role-of-another/the-role",
        "arn:aws:iam::111122223333:user/the-role",
        "arn:aws:iam::111122223333:root",
    ],
    ids=["other account", "other role", "user", "root"],
)
def test_a_role_is_another_when_only_a_part_of_its_name_is_ours(
    logins: RoleLogins, as_caller: Callable[[str], Any], arn: str
) -> None:
    with as_caller(arn), pytest.raises(RoleNotAssumableError, match="AssumeRole"):
        logins.fetch(HOME, "pull-only")


def test_a_role_is_never_left_out_when_there_are_no_accounts_to_look_for_it_in() -> None:
    clients = aws.clients("OURS")

    with pytest.raises(TypeError, match="role"):
        clients.ecr(HOME, role="the-role")


@pytest.mark.parametrize("token", ["no base64", "QVdT", "/////w=="], ids=["no base64", "no password", "no text"])
def test_a_login_that_cannot_be_read_is_refused_without_being_told(
    logins: RoleLogins, monkeypatch: pytest.MonkeyPatch, as_caller: Callable[[str], Any], token: str
) -> None:
    ecr = aws.session("THE-ROLE").create_client("ecr")
    monkeypatch.setattr(logins._clients, "ecr", lambda registry, role: ecr)
    answers = [
        {
            "authorizationData": [
                {"authorizationToken": token, "expiresAt": datetime.now(UTC), "proxyEndpoint": "https://x"}
            ]
        }
    ]
    with as_caller("arn:aws:iam::111122223333:root"), Stubber(ecr) as stubber:
        for answer in (*answers, {"authorizationData": []}):
            stubber.add_response("get_authorization_token", answer)
        with pytest.raises(RefusedByRegistryError, match="no user and password") as error:
            logins.fetch(HOME, "pull-only")
    assert token not in repr(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None
