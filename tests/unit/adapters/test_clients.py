"""What every call says of itself."""

from collections.abc import Callable
from typing import Any

import pytest

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.domain.names import RegistryRef


def test_every_call_names_the_steward_for_whoever_reads_the_trail(
    clients: AwsClients, server: Any, reply_with: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    server.on("POST", "/", reply_with(200, b'{"repositories": []}'))

    clients.ecr(RegistryRef("123456789012", "us-east-1")).describe_repositories()

    said, *_ = server.received[0].headers["user-agent"].split()  # Powertools adds itself where it was imported
    assert said == "ecr-steward"
