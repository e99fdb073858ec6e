"""What every call says of itself."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from typing import Any

import pytest
from botocore.session import Session

from ecr_steward.adapters.clients import ROLES_KEPT, AwsClients
from ecr_steward.adapters.connected_accounts import NamedAccounts
from ecr_steward.adapters.roles import Accounts, Role
from ecr_steward.domain.names import RegistryRef
from tests.given import aws


def test_every_call_names_the_steward_for_whoever_reads_the_trail(
    clients: AwsClients, server: Any, reply_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    server.on("POST", "/", reply_with(200, b'{"repositories": []}'))

    clients.ecr(RegistryRef("123456789012", "us-east-1")).describe_repositories()

    said, *_ = server.received[0].headers["user-agent"].split()  # Powertools adds itself where it was imported
    assert said == "ecr-steward"


def test_a_client_that_is_there_is_had_at_once_when_a_role_is_slow_to_assume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """core 6.13"""
    is_asked, may_answer = Event(), Event()

    def assume(role: Role, _sts: object, session: Session) -> Session:
        is_asked.set()
        assert may_answer.wait(10)
        return session

    monkeypatch.setattr(Role, "assume", assume)
    of_two = aws.clients(accounts=Accounts("111122223333", NamedAccounts(frozenset({"222233334444"}))))
    home, spoke = RegistryRef("111122223333", "us-east-1"), RegistryRef("222233334444", "us-east-1")
    known = of_two.ecr(home)
    slow = Thread(target=of_two.ecr, args=(spoke,))
    slow.start()
    assert is_asked.wait(10)

    with ThreadPoolExecutor(1) as other:
        found = other.submit(of_two.ecr, home).result(timeout=10)
        new = other.submit(of_two.ecr, RegistryRef("111122223333", "eu-west-1")).result(timeout=10)
        may_answer.set()

    slow.join()
    assert found is known
    assert new is not known


def test_a_process_keeps_the_clients_of_the_roles_that_were_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand roles' would fill the memory of a function. 1 s."""
    monkeypatch.setattr(Role, "assume", lambda role, sts, session: session)
    ids = [f"{222233330000 + number}" for number in range(ROLES_KEPT + 1)]
    of_all = aws.clients(accounts=Accounts("111122223333", NamedAccounts(frozenset(ids))))
    first, second, *others = (RegistryRef(account, "us-east-1") for account in ids)
    kept, dropped = of_all.ecr(first), of_all.ecr(second)

    for each in others:
        of_all.ecr(each)
        assert of_all.ecr(first) is kept

    assert of_all.ecr(second) is not dropped
