"""The contract of ``Secrets``: every test runs on the fake, and on the adapter in moto."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.memory import InMemorySecrets
from ecr_steward.adapters.secrets_manager import LARGEST_TEXT, SecretsManager
from ecr_steward.domain.credentials import SecretText, version_stamp
from ecr_steward.errors import (
    AccessDeniedError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    StewardError,
    ThrottledError,
)
from ecr_steward.ports.credentials import Secrets
from tests.given import aws

NAME = "ecr-steward/on-prem"
STAMP = version_stamp("pull-only", ())
CANARY = "canary-password"


class World(Protocol):
    """An account's secrets, and what other people do with them."""

    @property
    def secrets(self) -> Secrets: ...
    def hold(self, name: str, *texts: str | None) -> None:
        """Create a secret, and write each text into it; ``None`` is bytes."""
        ...

    def mark_for_deletion(self, name: str) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.secrets = InMemorySecrets(lambda: datetime.now(UTC))

    def hold(self, name: str, *texts: str | None) -> None:
        self.secrets.hold(name, *texts)

    def mark_for_deletion(self, name: str) -> None:
        self.secrets.deleted.add(name)


class AwsWorld:
    def __init__(self) -> None:
        session = aws.session()
        self.client: Any = session.create_client("secretsmanager")
        self.secrets = SecretsManager(AwsClients(aws.ONE_TRY, session=session))

    def hold(self, name: str, *texts: str | None) -> None:
        self.client.create_secret(Name=name)
        for text in texts:
            value: dict[str, Any] = {"SecretBinary": b"bytes"} if text is None else {"SecretString": text}
            self.client.put_secret_value(SecretId=name, **value)

    def mark_for_deletion(self, name: str) -> None:
        self.client.delete_secret(SecretId=name)


@pytest.fixture
def aws_world() -> World:
    pytest.skip("what is behind Secrets Manager here is moto, whose fidelity others watch over")


@pytest.fixture
def fake_world() -> World:
    return FakeWorld()


@pytest.fixture
def adapter_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWorld]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # moto answers for AWS's own endpoints only
    with mock_aws():
        yield AwsWorld()


def text_of(world: World, name: str = NAME) -> str | None:
    stored = world.secrets.read(name)
    assert stored is not None
    assert stored.current is not None
    return stored.current.text.reveal if stored.current.text else None


def test_there_is_nothing_to_read_when_there_is_no_secret(world: World) -> None:
    assert world.secrets.read(NAME) is None


def test_a_secret_is_told_from_none_when_nothing_was_put_into_it(world: World) -> None:
    world.hold(NAME)

    stored = world.secrets.read(NAME)

    assert stored is not None
    assert stored.current is None


def test_a_created_secret_holds_the_text_in_a_version_that_begins_with_the_stamp(world: World) -> None:
    world.secrets.create(NAME, SecretText(CANARY), STAMP)

    stored = world.secrets.read(NAME)

    assert stored is not None
    assert stored.current is not None
    assert stored.current.id.startswith(STAMP)
    assert stored.current.text == SecretText(CANARY)
    assert abs(datetime.now(UTC) - stored.current.written_at) < timedelta(minutes=1)
    assert CANARY not in repr(stored)


def test_the_last_text_counts_when_a_secret_is_written_again(world: World) -> None:
    world.secrets.create(NAME, SecretText("first"), STAMP)
    world.secrets.put(NAME, SecretText("second"), STAMP)
    world.secrets.put(NAME, SecretText("third"), STAMP)

    assert text_of(world) == "third"


def test_an_empty_secret_can_be_filled(world: World) -> None:
    world.hold(NAME)

    world.secrets.put(NAME, SecretText(CANARY), STAMP)

    assert text_of(world) == CANARY


def test_another_writer_is_known_by_the_version_when_it_has_written(world: World) -> None:
    world.secrets.create(NAME, SecretText("ours"), STAMP)
    before = world.secrets.read("ecr-steward/other")
    world.hold("ecr-steward/other", "theirs")

    stored = world.secrets.read("ecr-steward/other")

    assert before is None
    assert stored is not None
    assert stored.current is not None
    assert not stored.current.id.startswith("ecr-steward-")
    assert text_of(world, "ecr-steward/other") == "theirs"


def test_bytes_are_told_from_text(world: World) -> None:
    world.hold(NAME, None)

    assert text_of(world) is None


def test_nothing_is_overwritten_when_somebody_else_has_created_the_secret_meanwhile(world: World) -> None:
    world.hold(NAME, "theirs")

    with pytest.raises(RegistryUnavailableError, match=NAME):
        world.secrets.create(NAME, SecretText(CANARY), STAMP)

    assert text_of(world) == "theirs"


def test_a_secret_that_is_not_there_is_not_written(world: World) -> None:
    with pytest.raises(RefusedByRegistryError, match=NAME):
        world.secrets.put(NAME, SecretText(CANARY), STAMP)


def test_a_secret_that_is_marked_for_deletion_cannot_be_read(world: World) -> None:
    world.hold(NAME, CANARY)
    world.mark_for_deletion(NAME)

    with pytest.raises(RefusedByRegistryError, match=f"^the secret {NAME} is marked for deletion") as error:
        world.secrets.read(NAME)
    assert CANARY not in repr(error.value)


@pytest.mark.parametrize("character", ["a", "ä"])
def test_as_much_is_written_as_a_secret_may_hold_and_not_a_byte_more(world: World, character: str) -> None:
    most = LARGEST_TEXT // len(character.encode())
    world.secrets.create(NAME, SecretText(character * most), STAMP)

    for write in (world.secrets.create, world.secrets.put):
        with pytest.raises(RefusedByRegistryError, match="bytes"):
            write(NAME, SecretText(character * (most + 1)), STAMP)

    assert text_of(world) == character * most


# ---------------------------------------------------------------- what only the adapter has: AWS's answers


def test_what_aws_says_of_a_deleted_secret_is_not_told_a_second_time(adapter_world: AwsWorld) -> None:
    adapter_world.hold(NAME, CANARY)
    adapter_world.mark_for_deletion(NAME)

    with pytest.raises(RefusedByRegistryError) as error:
        adapter_world.secrets.read(NAME)

    assert str(error.value) == (
        f"the secret {NAME} is marked for deletion: restore it, or name another one in the rulebook"
    )


def test_aws_is_quoted_when_a_secret_is_not_read_for_another_reason() -> None:
    clients = aws.clients()
    with Stubber(clients.secretsmanager) as stubber:
        stubber.add_client_error("get_secret_value", "InvalidRequestException", "It is replicated.")
        stubber.add_response("describe_secret", {"Name": NAME})
        with pytest.raises(RefusedByRegistryError) as error:
            SecretsManager(clients).read(NAME)

    assert str(error.value) == f"secretsmanager:GetSecretValue on {NAME}: InvalidRequestException: It is replicated."


def test_a_created_secret_says_who_keeps_it(adapter_world: AwsWorld) -> None:
    adapter_world.secrets.create(NAME, SecretText(CANARY), STAMP)

    described = adapter_world.client.describe_secret(SecretId=NAME)
    assert described["Tags"] == [{"Key": "managed-by", "Value": "ecr-steward"}]
    assert CANARY not in described["Description"]


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("ThrottlingException", 400, ThrottledError),
        ("InternalServiceError", 500, RegistryUnavailableError),
        ("AccessDeniedException", 400, AccessDeniedError),
        ("DecryptionFailure", 400, RefusedByRegistryError),
        ("EncryptionFailure", 400, RefusedByRegistryError),
    ],
)
def test_an_answer_is_ours_and_names_action_and_secret_when_aws_refuses(
    code: str, status: int, error: type[StewardError]
) -> None:
    clients = aws.clients()
    secrets = SecretsManager(clients)
    calls = {
        "get_secret_value": lambda: secrets.read(NAME),
        "put_secret_value": lambda: secrets.put(NAME, SecretText(CANARY), STAMP),
        "create_secret": lambda: secrets.create(NAME, SecretText(CANARY), STAMP),
    }
    for operation, call in calls.items():
        with Stubber(clients.secretsmanager) as stubber:
            stubber.add_client_error(operation, code, "no", http_status_code=status)
            with pytest.raises(error) as raised:
                call()
        action = "".join(word.capitalize() for word in operation.split("_"))
        assert f"secretsmanager:{action} on {NAME}" in str(raised.value)
        assert CANARY not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_a_secret_is_created_with_a_key_where_one_is_given(adapter_world: AwsWorld) -> None:
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

    SecretsManager(AwsClients(aws.ONE_TRY, session=aws.session()), key).create(NAME, SecretText("{}"), STAMP)

    assert adapter_world.client.describe_secret(SecretId=NAME)["KmsKeyId"] == key
