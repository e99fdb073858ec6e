"""Each real refusal of a ``/v2/`` face, what the core makes of it, and what local_ecr says in the same case."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from urllib3.response import HTTPResponse

from ecr_steward.adapters.refusals import read_refusal
from ecr_steward.errors import (
    AccessDeniedError,
    ImageTagIsImmutableError,
    RepositoryNotFoundError,
    ThrottledError,
)
from tests.corpus.files import copies, found

ERRORS = {
    "not_authorized": (AccessDeniedError, True),
    "expired": (AccessDeniedError, True),
    "denied": (AccessDeniedError, False),
    "no_repository": (RepositoryNotFoundError, False),
    "immutable": (ImageTagIsImmutableError, False),
    "immutable_of_2023": (ImageTagIsImmutableError, False),
    "too_many": (ThrottledError, False),
}
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@pytest.mark.parametrize("copy", copies("registry"), ids=str)
def test_a_real_refusal_has_its_meaning_when_a_registry_gives_it(copy):
    document = copy.load()
    answer = HTTPResponse(
        io.BytesIO(document["body"].encode()),
        document["headers"],
        document["status"],
        preload_content=False,
        request_method="GET",
    )

    refusal = read_refusal("GET", answer, "Basic c2VjcmV0")

    error, may_be_expired = ERRORS[copy.name]
    assert type(refusal.error("ecr:PutImage", "team-a/api")) is error
    assert refusal.may_be_an_expired_login is may_be_expired


def ask(local_ecr: Any, path: str, token: str | None = None, method: str = "GET", **more: Any) -> Any:
    headers = {"Authorization": f"Basic {token}"} if token else {}
    url = f"{local_ecr.registry_url()}/v2/{path}"
    return urllib3.request(method, url, headers={**headers, **more.pop("headers", {})}, retries=False, **more)


def is_as(answer: Any, name: str, **words: str) -> None:
    """Compare status, content type and body with the corpus, whose names are replaced by those of here."""
    document = found("registry", name).load()
    body = document["body"]
    for real, here in words.items():
        body = body.replace(real, here)
    assert (answer.status, answer.data.decode().rstrip("\n")) == (document["status"], body.rstrip("\n"))
    assert answer.headers["Content-Type"].partition(";")[0] == document["headers"]["Content-Type"].partition(";")[0]


def test_local_ecr_refuses_as_ecr_does_when_a_client_is_not_signed_in(local_ecr):
    answer = ask(local_ecr, "")

    is_as(answer, "not_authorized")
    real = found("registry", "not_authorized").load()["headers"]
    assert answer.headers["Docker-Distribution-Api-Version"] == real["Docker-Distribution-Api-Version"]
    for challenge in (answer.headers["Www-Authenticate"], real["Www-Authenticate"]):
        assert challenge.startswith('Basic realm="http') and challenge.endswith('/",service="ecr.amazonaws.com"')


def test_local_ecr_refuses_as_ecr_does_when_a_login_has_expired(local_ecr):
    token = local_ecr.token()
    local_ecr.move_clock(timedelta(hours=13))

    is_as(ask(local_ecr, "", token), "expired")


def test_local_ecr_refuses_as_ecr_does_when_there_is_no_repository(local_ecr):
    is_as(ask(local_ecr, "team-a/api/manifests/1.4.2", local_ecr.token()), "no_repository")


def test_local_ecr_refuses_as_ecr_does_when_a_tag_is_immutable(local_ecr):
    local_ecr.client().create_repository(repositoryName="team-a/api", imageTagMutability="IMMUTABLE")
    token = local_ecr.token()

    def put(number: int) -> Any:
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "manifests": [], "annotations": {"n": str(number)}}
        manifest["mediaType"] = "application/vnd.oci.image.index.v1+json"
        headers = {"Content-Type": manifest["mediaType"]}
        return ask(local_ecr, "team-a/api/manifests/1.4.2", token, "PUT", body=json.dumps(manifest), headers=headers)

    assert put(1).status == 201

    is_as(put(2), "immutable")
