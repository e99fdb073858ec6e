"""A worker is killed in the middle of its work, at a moment that was chosen: nothing is lost, nothing is done twice."""

import contextlib
import json
import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward.adapters.distribution import DistributionClient

pytestmark = pytest.mark.slow

HIGH = {"CVE-2026-60001": "HIGH"}
LEASE = timedelta(minutes=16)
"""Longer than the function that copies may run."""


@pytest.fixture
def kill_after(house: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Kill every worker once, when a call has been carried out and before its answer is sent; answers who had made it.

    Both servers write a call into their log in between, and wait for it.
    """

    def arrange(service: str, operation: str) -> list[str]:
        log = house.sandbox.local_ecr.requests if service == "ecr" else house.sandbox.requests
        record, killed = log.record, list[str]()

        def record_and_kill(request: Any) -> None:
            record(request)
            by_a_function = ":assumed-role/" in request.principal
            if not killed and by_a_function and (request.service, request.operation) == (service, operation):
                killed.append(request.principal)
                for pid in house.sandbox.engine.invocations.pids:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

        monkeypatch.setattr(log, "record", record_and_kill)
        return killed

    return arrange


def outcomes_of(ran: Any, function: str) -> list[str]:
    return [each.outcome for each in ran if each.function == function]


def may_pull(house: Any, secret: str) -> bool:
    """Pull with what lies in a secret."""
    held = house.sandbox.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    ((host, login),) = json.loads(held)["auths"].items()
    digest = house.home.tags("team-a/api")["1.0.0"]
    client = DistributionClient(f"http://{host}", lambda: f"Basic {login['auth']}")
    return str(client.get_manifest("team-a/api", digest).digest) == digest


def keep_fresh(house: Any, secret: str) -> None:
    """Let the rulebook have one credential."""
    sinks = [{"secretsmanager": secret}]
    entry = {"name": "killed", "registries": [{"region": "us-east-1"}], "sinks": sinks}
    house.rulebook.deploy(lambda rulebook: rulebook.update(credentials=[entry]))


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ecr", "GetAuthorizationToken"),
        ("secretsmanager", "CreateSecret"),
        ("secretsmanager", "PutSecretValue"),
        ("dynamodb", "PutItem"),
    ],
)
def test_login_is_published_once_when_the_worker_is_killed_on_its_way(
    service: str, operation: str, house: Any, kill_after: Callable[..., list[str]]
) -> None:
    with house.unheard():
        house.push("team-a/api", "1.0.0")
    secret = f"ecr-steward/killed-after-{operation}"
    keep_fresh(house, secret)
    secrets = house.sandbox.client("secretsmanager")
    if operation == "PutSecretValue":
        secrets.create_secret(Name=secret)
    killed = kill_after(service, operation)

    ran = house.refresh()

    assert len(killed) == 1
    assert outcomes_of(ran, "RefreshCredentialsFunction") == ["error", "ok"]
    assert "signal: SIGKILL" in ran[0].payload["errorMessage"]
    versions = secrets.list_secret_version_ids(SecretId=secret, IncludeDeprecated=True)
    assert len(versions["Versions"]) == 1
    assert may_pull(house, secret)
    assert house.take("FailureQueue") == []


@pytest.mark.parametrize(
    ("service", "operation"),
    [("ecr", "DescribeImages"), ("ecr", "DescribeImageScanFindings"), ("events", "PutEvents")],
)
def test_verdict_is_told_when_the_worker_is_killed_within_a_batch(
    service: str, operation: str, house: Any, kill_after: Callable[..., list[str]]
) -> None:
    repository = f"payments/killed-after-{operation.lower()}"
    with house.unheard():
        pushed = house.push(repository, "1.0.0")
    killed = kill_after(service, operation)

    ran = house.scan_ends(repository, [child.digest for child in pushed.children], HIGH)

    assert len(killed) == 1
    outcomes = outcomes_of(ran, "EvaluateImageScanFunction")
    assert outcomes[0] == "error"
    assert set(outcomes[1:]) == {"ok"}
    told = 2 if operation == "PutEvents" else 1  # whether it was put before the kill, the next one cannot know
    assert [each["verdict"] for each in house.verdicts(repository)] == ["fail"] * told
    for queue in ("FailureQueue", "EvaluateImageScanDeadLetterQueue"):
        assert house.take(queue) == []


def test_verdict_is_told_by_the_next_worker_when_its_teller_was_killed_while_it_drew_breath(
    house: Any, kill_after: Callable[..., list[str]]
) -> None:
    """Its place in the idempotency table is taken, its event is not on the bus; the next one waits, and gives it."""
    with house.unheard():
        pushed = house.push("payments/untold", "1.0.0")
    killed = kill_after("dynamodb", "PutItem")
    house.scan_ends("payments/untold", [child.digest for child in pushed.children], HIGH)
    told_at_once = [each["verdict"] for each in house.verdicts("payments/untold")]

    house.sandbox.move_clock(timedelta(hours=1))
    house.sandbox.wait_until_idle()

    assert len(killed) == 1
    assert told_at_once == ["fail"]
    assert {each["verdict"] for each in house.verdicts("payments/untold")} == {"fail"}
    assert house.take("FailureQueue") == []


@pytest.mark.parametrize("operation", ["BatchDeleteImage", "PutImage"])
def test_immutable_alias_moves_when_the_worker_is_killed_after_either_half(
    operation: str, house: Any, kill_after: Callable[..., list[str]]
) -> None:
    aliases = {"from": "semver", "add": ["{major}-latest"], "move": "delete_and_retag"}
    rule = {"name": "immutable", "match": {"repositories": ["immutable/**"]}, "mode": "enforce"}
    house.rulebook.deploy(
        lambda rulebook: (
            rulebook["rules"].insert(0, {**rule, "final": True, "image_tags": {"aliases": aliases}})
            if all(each["name"] != "immutable" for each in rulebook["rules"])
            else None
        )
    )
    repository = f"immutable/killed-after-{operation.lower()}"
    house.home.ecr.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    first = house.push(repository, "1.0.0")
    killed = kill_after("ecr", operation)

    second = house.push(repository, "1.1.0")

    assert len(killed) == 1
    assert house.home.tags(repository) == {
        "1.0.0": str(first.index.digest),
        "1.1.0": str(second.index.digest),
        "1-latest": str(second.index.digest),
    }
    assert house.take("FailureQueue") == []


@pytest.mark.parametrize("operation", ["InitiateLayerUpload", "CompleteLayerUpload", "PutImage"])
def test_copy_arrives_whole_when_the_worker_is_killed_on_its_way(
    operation: str, house: Any, kill_after: Callable[..., list[str]]
) -> None:
    repository = f"payments/copied-{operation.lower()}"
    with house.unheard():
        pushed = house.push(repository, "1.0.0")
    killed = kill_after("ecr", operation)

    ran = house.scan_ends(repository, [child.digest for child in pushed.children])

    assert len(killed) == 1
    assert outcomes_of(ran, "ReplicateImageFunction").count("error") == 1
    house.sandbox.move_clock(LEASE)  # on AWS a killed message comes again only long after its lease has ended
    house.sandbox.wait_until_idle()
    assert house.away.digests(repository) == {str(manifest.digest) for manifest in pushed.manifests}
    assert house.away.tags(repository) == {"1.0.0": str(pushed.index.digest)}
    for manifest in pushed.manifests:
        for blob in manifest.stored_blobs:
            assert sum(map(len, house.away.pull_blob(repository, blob))) == blob.size
    for queue in ("FailureQueue", "ReplicateImageDeadLetterQueue"):
        assert house.take(queue) == []
