"""Worlds of the suite for settings of registries: a fake, and the adapter over a local ECR."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.session import Session

from ecr_steward.adapters import ecr_registry_settings
from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.memory import InMemoryRegistrySettings
from ecr_steward.domain.names import RegistryRef
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from local_ecr import LocalEcr, LocalEcrServer
from tests.given import aws

ACCOUNT = "111122223333"


@pytest.fixture
def here() -> RegistryRef:
    return RegistryRef(ACCOUNT, "us-east-1")


@pytest.fixture
def there() -> RegistryRef:
    return RegistryRef(ACCOUNT, "eu-west-1")


@pytest.fixture(params=["fake", "adapter"])
def store(request: pytest.FixtureRequest) -> RegistrySettingsStore:
    """The settings of two registries that nobody has set anything in."""
    store: RegistrySettingsStore = request.getfixturevalue(f"{request.param}_store")
    return store


@pytest.fixture
def fake_store() -> RegistrySettingsStore:
    return InMemoryRegistrySettings()


@pytest.fixture
def adapter_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: Session, here: RegistryRef, there: RegistryRef
) -> Iterator[RegistrySettingsStore]:
    monkeypatch.setattr(ecr_registry_settings, "PAGE_SIZE", 2)  # so that the listing has several pages
    registries = [(one.account, one.region) for one in (here, there)]
    with LocalEcrServer(LocalEcr(tmp_path), registries) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", server.endpoint_url)
        yield EcrRegistrySettings(AwsClients(aws.ONE_TRY, session=session))
