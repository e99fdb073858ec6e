"""The contracts of ``RulebookSource`` and ``LastGoodRulebook``: each on the fake, and on the adapter in moto."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
from moto import mock_aws

from ecr_steward.adapters.memory.rulebook import InMemoryLastGoodRulebook, InMemoryRulebookSource
from ecr_steward.adapters.s3_rulebook import S3Rulebook
from ecr_steward.adapters.state_rulebook import StateRulebook
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.errors import PermanentError, RefusedByRegistryError
from ecr_steward.ports.rulebook import CompiledRulebook, LastGoodRulebook, RulebookSource
from tests.given import aws
from tests.tables import make_state_table

ACCOUNT = "123456789012"
"""Of moto, whatever the caller."""
LARGEST = 1000


class World(Protocol):
    """A place for a rulebook, and what was kept of it."""

    @property
    def source(self) -> RulebookSource: ...
    @property
    def last_good(self) -> LastGoodRulebook: ...
    def put(self, text: bytes) -> None: ...


class FakeWorld:
    def __init__(self) -> None:
        self.source = InMemoryRulebookSource()
        self.last_good = InMemoryLastGoodRulebook()

    def put(self, text: bytes) -> None:
        self.source.text = text


class AwsWorld:
    def __init__(self) -> None:
        self.clients = aws.clients()
        self.clients.s3.create_bucket(Bucket="rules")
        make_state_table(self.clients.dynamodb)
        self.source = S3Rulebook(self.clients, "rules", "rulebook.json", ACCOUNT, LARGEST)
        table = StateTable(self.clients, "state", lambda: datetime.now(UTC))
        self.last_good = StateRulebook(table, self.source.place)

    def put(self, text: bytes) -> None:
        self.clients.s3.put_object(Bucket="rules", Key="rulebook.json", Body=text)


@pytest.fixture(params=["fake", "aws"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # moto answers for AWS's own endpoints only
    with mock_aws():
        yield AwsWorld()


def test_a_rulebook_is_read_as_it_was_put(world: World) -> None:
    world.put(b"{}")

    found = world.source.read(None)

    assert found is not None
    assert found.text == b"{}"


def test_nothing_is_read_when_it_is_still_the_version_known(world: World) -> None:
    world.put(b"{}")
    found = world.source.read(None)
    assert found is not None

    again = world.source.read(found.version)

    assert again is None


def test_a_new_version_is_read_when_it_was_put_over_the_one_known(world: World) -> None:
    world.put(b"{}")
    found = world.source.read(None)
    assert found is not None
    world.put(b"[]")

    again = world.source.read(found.version)

    assert again is not None
    assert (again.text, again.version != found.version) == (b"[]", True)


def test_a_permanent_error_names_the_place_when_nothing_is_there(world: World) -> None:
    with pytest.raises(PermanentError, match=r"s3:GetObject on s3://rules/rulebook.json: NoSuchKey"):
        world.source.read(None)


def test_nothing_is_kept_when_nothing_was_ever_good(world: World) -> None:
    assert world.last_good.get() is None


def test_the_latest_good_one_is_kept(world: World) -> None:
    for number in (1, 2, 2):
        world.last_good.keep(CompiledRulebook(b"%d" % number, f"v{number}"))

    assert world.last_good.get() == b"2"


@pytest.fixture
def aws_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsWorld]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield AwsWorld()


def test_the_object_is_refused_when_its_bucket_is_of_another_account(aws_world: AwsWorld) -> None:
    """attacks M9"""
    aws_world.put(b"rules")

    def note(params: dict[str, Any], **_: Any) -> None:
        asked.append(params["headers"]["x-amz-expected-bucket-owner"])

    asked: list[str] = []
    aws_world.clients.s3.meta.events.register("before-call.s3.GetObject", note)
    aws_world.source.read("an older version")
    aws_world.source.read(None)

    assert asked == [ACCOUNT, ACCOUNT]


def test_an_object_is_refused_unread_when_it_is_too_large_to_be_a_rulebook(aws_world: AwsWorld) -> None:
    aws_world.put(b" " * (LARGEST + 1))

    with pytest.raises(RefusedByRegistryError, match=f"has {LARGEST + 1} bytes; a compiled rulebook has at most"):
        aws_world.source.read(None)


def test_nothing_is_kept_any_longer_when_the_latest_good_one_is_too_large(
    aws_world: AwsWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ecr_steward.adapters.state_rulebook.LARGEST", 40)
    aws_world.last_good.keep(CompiledRulebook(b"small", "v1"))
    aws_world.last_good.keep(CompiledRulebook(bytes(range(256)), "v2"))

    assert aws_world.last_good.get() is None


def test_two_places_keep_a_rulebook_each(aws_world: AwsWorld) -> None:
    table = StateTable(aws_world.clients, "state", lambda: datetime.now(UTC))
    other = StateRulebook(table, "s3://rules/other.json")

    aws_world.last_good.keep(CompiledRulebook(b"1", "v1"))
    other.keep(CompiledRulebook(b"2", "v2"))

    assert (aws_world.last_good.get(), other.get()) == (b"1", b"2")
