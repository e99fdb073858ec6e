"""Act 7: a login for somebody without an AWS identity is kept fresh, can pull, and cannot push."""

import json
from datetime import timedelta
from typing import Any

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.manifests import digest_of
from ecr_steward.domain.images import Descriptor
from ecr_steward.errors import AccessDeniedError
from ecr_steward_sandbox.demo.stage import REPOSITORY, Stage

TITLE = "A login for others is kept fresh"
ABOUT = (
    "A cluster elsewhere pulls with a login from Secrets Manager. Logins end after 12 hours, and speak as whoever "
    "fetched them: refresh_credentials fetches them as a role that may only pull, and tries them before it writes them."
)

_SECRET = "ecr-steward/on-prem-cluster"  # noqa: S105 a name
_SCHEDULE = "RefreshCredentialsFunctionRefresh"
_EXPIRED = "Your authorization token has expired. Reauthenticate and try again."


def play(stage: Stage) -> None:
    """Let the schedule come due, use what it wrote, and let half a day pass."""
    stage.narrator.did("the schedule of refresh_credentials comes due")
    stage.sandbox.tick(_SCHEDULE)
    stage.settle()
    stage.tell("refresh_credentials")
    host, login = _read(stage)
    stage.check_equal(
        f"{_SECRET} holds a Docker config for the registry", f"http://{host}", stage.sandbox.registry_url("us-east-1")
    )
    cluster = _client(host, login)
    _check_pull(stage, cluster, "pulling with it works")
    _check_no_push(stage, cluster)
    stage.close()

    stage.narrator.did("the schedule comes due once more")
    stage.sandbox.tick(_SCHEDULE)
    stage.settle()
    stage.tell("refresh_credentials")
    stage.check("it is fresh, so it stays as it is", _read(stage) == (host, login))
    stage.close()

    stage.move_clock(timedelta(hours=13), "what was fetched before has ended")
    stage.tell("refresh_credentials")
    try:
        cluster.get_manifest(REPOSITORY, stage.release("1.4.3").index.digest)
        stage.check("the old login is refused", holds=False)
    except AccessDeniedError as refusal:
        stage.check(f'the old login is refused: "{_EXPIRED}"', _EXPIRED in str(refusal), refusal)
    host, renewed = _read(stage)
    stage.check("another login lies in the secret", renewed != login)
    _check_pull(stage, _client(host, renewed), "it works")


def _read(stage: Stage) -> tuple[str, str]:
    """The host and the login that the secret holds, as a cluster reads them."""
    secrets = stage.aws("secretsmanager")
    found = [
        secret["Name"] for page in secrets.get_paginator("list_secrets").paginate() for secret in page["SecretList"]
    ]
    stage.require(f"there is a secret {_SECRET}", _SECRET in found, found)
    document = json.loads(secrets.get_secret_value(SecretId=_SECRET)["SecretString"])
    stage.require(f"{_SECRET} holds one login", len(document["auths"]) == 1, list(document["auths"]))
    ((host, login),) = document["auths"].items()
    return host, login["auth"]


def _client(host: str, login: str) -> DistributionClient:
    return DistributionClient(f"http://{host}", lambda: f"Basic {login}")


def _check_pull(stage: Stage, cluster: DistributionClient, claim: str) -> None:
    pushed = stage.release("1.4.3")
    pulled: Any = cluster.get_manifest(REPOSITORY, pushed.index.digest)
    blob = pushed.children[0].blobs[0]
    with cluster.open_blob(REPOSITORY, blob) as chunks:
        size = sum(map(len, chunks))
    stage.check(claim, pulled.content == pushed.index.content and size == blob.size)


def _check_no_push(stage: Stage, cluster: DistributionClient) -> None:
    content = b"not ours"
    try:
        cluster.upload_blob(REPOSITORY, [content], Descriptor("text/plain", digest_of(content), len(content)))
        stage.check("pushing with it is refused", holds=False)
    except AccessDeniedError as refusal:
        stage.check("pushing with it is refused", "ecr:InitiateLayerUpload" in str(refusal), refusal)
