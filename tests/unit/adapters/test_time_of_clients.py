"""No request to AWS is sent that may end after its invocation does."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError

from ecr_steward.adapters.clients import LAST_SECONDS, PATIENT, AwsClients
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import OutOfTimeError
from tests.given import aws

HOME = RegistryRef("111122223333", "us-east-1")
AT_ONCE = Config(retries={"mode": "standard", "total_max_attempts": 5})


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch, server: Any) -> AwsClients:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    return AwsClients(AT_ONCE, session=aws.session())


def test_nothing_is_asked_when_an_answer_might_come_too_late(
    clients: AwsClients, server: Any, reply_with: Callable[..., Any]
) -> None:
    server.on("POST", "/", reply_with(200, b'{"repositories": []}'))
    ecr = clients.ecr(HOME)

    clients.work_until(Deadline(lambda: LAST_SECONDS))
    with pytest.raises(OutOfTimeError):
        ecr.describe_repositories()
    assert server.received == []

    clients.work_until(Deadline(lambda: LAST_SECONDS + 1))
    assert ecr.describe_repositories()["repositories"] == []
    clients.work_until(NEVER)
    assert ecr.describe_repositories()["repositories"] == []


def test_a_throttled_request_is_not_made_again_when_the_time_is_over_meanwhile(
    clients: AwsClients, server: Any, reply_with: Callable[..., Any]
) -> None:
    server.on("POST", "/", reply_with(400, b'{"__type": "ThrottlingException"}'))
    clients.work_until(Deadline(lambda: LAST_SECONDS + 1 - len(server.received)))

    with pytest.raises(OutOfTimeError):
        clients.ecr(HOME).describe_repositories()

    assert len(server.received) == 1


def test_a_page_of_a_listing_is_not_asked_for_when_the_time_is_over(
    clients: AwsClients, server: Any, reply_with: Callable[..., Any]
) -> None:
    page = b'{"repositories": [{"repositoryName": "a"}], "nextToken": "%d"}'

    def next_page(connection: Any) -> None:
        reply_with(200, page % len(server.received))(connection)

    server.on("POST", "/", next_page)
    clients.work_until(Deadline(lambda: LAST_SECONDS + 5 - len(server.received)))

    with pytest.raises(OutOfTimeError):
        list(clients.ecr(HOME).get_paginator("describe_repositories").paginate())

    assert len(server.received) == 5


def test_what_is_left_reaches_its_queue_and_its_table_to_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    clients = AwsClients(aws.ONE_TRY, session=aws.session())
    clients.work_until(Deadline(lambda: 0.0))

    with pytest.raises(EndpointConnectionError):
        clients.sqs.list_queues()
    with pytest.raises(EndpointConnectionError):
        clients.dynamodb.list_tables()


def test_a_request_that_hangs_ends_within_what_is_kept_for_it() -> None:
    """That of the functions, of its last try."""
    assert PATIENT.connect_timeout + PATIENT.read_timeout < LAST_SECONDS
