"""The queues when something is wrong with them."""

from collections.abc import Iterator

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.sqs_queues import SqsFailureQueue, SqsReplicationQueue, SqsSourceQueue
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.notices import FailedEvent, ReplicationRequested
from ecr_steward.errors import AccessDeniedError, RefusedByRegistryError, ThrottledError
from tests.given import aws

IMAGE = ImageRef(RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api"), Digest(f"sha256:{'a' * 64}"))
JOB = ReplicationRequested(IMAGE, "missing")
FAILED = FailedEvent("enforce_image_tags", {}, "MalformedEventError", "what is this")
NOWHERE = "https://sqs.us-east-1.amazonaws.com/111122223333/no-such-queue"


@pytest.fixture
def clients() -> Iterator[AwsClients]:
    with mock_aws():
        yield aws.clients()


def test_it_is_refused_when_there_is_no_such_queue(clients: AwsClients) -> None:
    with pytest.raises(RefusedByRegistryError, match=r"sqs:SendMessage on .*no-such-queue"):
        SqsReplicationQueue(clients, NOWHERE, lambda _: "{}").request(JOB)
    with pytest.raises(RefusedByRegistryError, match=r"sqs:SendMessage on .*no-such-queue"):
        SqsFailureQueue(clients, NOWHERE).put(FAILED)


def test_it_is_denied_when_the_function_has_no_queue(clients: AwsClients) -> None:
    with pytest.raises(AccessDeniedError, match="no replication queue"):
        SqsReplicationQueue(clients, None, lambda _: "{}").request(JOB)
    with pytest.raises(AccessDeniedError, match="which queue feeds this function"):
        SqsSourceQueue(clients, None).postpone("handle", 60)


def test_a_message_comes_again_when_it_was_said_instead_of_after_its_visibility_timeout(clients: AwsClients) -> None:
    url = clients.sqs.create_queue(QueueName="scans", Attributes={"VisibilityTimeout": "5400"})["QueueUrl"]
    clients.sqs.send_message(QueueUrl=url, MessageBody="{}")
    (received,) = clients.sqs.receive_message(QueueUrl=url)["Messages"]
    assert "Messages" not in clients.sqs.receive_message(QueueUrl=url)

    SqsSourceQueue(clients, url).postpone(received["ReceiptHandle"], 0)

    assert len(clients.sqs.receive_message(QueueUrl=url)["Messages"]) == 1


@pytest.mark.parametrize(
    ("code", "error"), [("ThrottlingException", ThrottledError), ("AccessDenied", AccessDeniedError)]
)
def test_the_error_is_ours_when_the_queue_takes_nothing(clients: AwsClients, code: str, error: type[Exception]) -> None:
    with Stubber(clients.sqs) as stubber:
        stubber.add_client_error("send_message", code)
        with pytest.raises(error, match="sqs:SendMessage"):
            SqsFailureQueue(clients, NOWHERE).put(FAILED)
