"""What the adapter of registry settings does beyond its contract: members of a newer ECR outlive a write."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import RefusedByRegistryError

type Answers = Callable[..., None]

HOME = RegistryRef("123456789012", "us-east-1")

NEWER_RULE: dict[str, Any] = {
    "destinations": [{"region": "eu-west-1", "registryId": "123456789012", "priority": 7}],
    "repositoryFilters": [{"filter": "prod/", "filterType": "PREFIX_MATCH"}],
    "deleteReplication": {"enabled": True, "after": {"days": 3}},
    "tagFilters": [{"filter": "v*", "filterType": "WILDCARD"}],
}
NEWER_REPLICATION = {"rules": [NEWER_RULE], "pausedUntil": None, "mode": "FAST"}
NEWER_SCANNING = {
    "scanType": "ENHANCED",
    "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [], "depth": "FULL"}],
    "languages": ["python"],
}


@pytest.fixture
def store(server: Any, clients: AwsClients, monkeypatch: pytest.MonkeyPatch) -> EcrRegistrySettings:
    """The adapter over a server that answers what a test writes down."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", server.url)
    return EcrRegistrySettings(clients)


@pytest.fixture
def answers(server: Any, reply_with: Callable[..., Any]) -> Callable[..., None]:
    """Have the server answer with these documents, one after the other."""

    def arrange(*documents: dict[str, Any]) -> None:
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        server.on("POST", "/", *(reply_with(200, json.dumps(document).encode(), headers) for document in documents))

    return arrange


def sent(server: Any) -> tuple[str, Any]:
    """The operation and the body of the last request."""
    request = server.received[-1]
    return request.headers["x-amz-target"].partition(".")[2], json.loads(request.body)


def test_members_that_nobody_knows_are_read_when_a_newer_ecr_tells_them(
    server: Any, store: EcrRegistrySettings, answers: Answers
) -> None:
    answers({"registryId": HOME.account, "replicationConfiguration": NEWER_REPLICATION})

    assert store.replication(HOME) == NEWER_REPLICATION


def test_a_creation_template_is_read_when_its_mutability_is_of_a_newer_ecr(
    server: Any, store: EcrRegistrySettings, answers: Answers
) -> None:
    """core 6.6"""
    answers({"repositoryCreationTemplates": [{"prefix": "ROOT", "imageTagMutability": "MUTABLE_ON_FRIDAYS"}]})

    (template,) = store.creation_templates(HOME)

    assert str(template.mutability) == "MUTABLE_ON_FRIDAYS"


def test_members_that_nobody_knows_are_sent_back_when_the_replication_is_written(
    server: Any, store: EcrRegistrySettings, answers: Answers
) -> None:
    answers({"replicationConfiguration": NEWER_REPLICATION})

    store.put_replication(HOME, NEWER_REPLICATION)

    assert sent(server) == (
        "PutReplicationConfiguration",
        {"replicationConfiguration": NEWER_REPLICATION},
    )


def test_members_that_nobody_knows_go_round_when_the_scanning_is_written(
    server: Any, store: EcrRegistrySettings, answers: Answers
) -> None:
    answers({"registryId": HOME.account, "scanningConfiguration": NEWER_SCANNING}, {})

    store.put_scanning(HOME, store.scanning(HOME))

    assert sent(server) == ("PutRegistryScanningConfiguration", NEWER_SCANNING)


def test_the_request_is_signed_for_what_is_sent_when_it_holds_unknown_members(
    server: Any, store: EcrRegistrySettings, answers: Answers
) -> None:
    answers({})

    store.put_replication(HOME, NEWER_REPLICATION)

    request = server.received[-1]
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256")
    assert int(request.headers["content-length"]) == len(request.body)


def test_what_the_model_knows_is_still_checked_when_unknown_members_are_let_through(
    server: Any, store: EcrRegistrySettings
) -> None:
    with pytest.raises(RefusedByRegistryError, match="destinations"):
        store.put_replication(HOME, {"rules": [{"tagFilters": []}]})

    assert server.received == []
