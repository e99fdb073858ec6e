"""Account settings: read, and put back as they were."""

from collections.abc import Iterator
from typing import Any

import pytest

VALUES = {
    "BASIC_SCAN_TYPE_VERSION": {"AWS_NATIVE"},
    "REGISTRY_POLICY_SCOPE": {"V1", "V2"},
    "BLOB_MOUNTING": {"ENABLED", "DISABLED"},
}


@pytest.fixture
def blob_mounting(account: Any) -> Iterator[str]:
    """The setting's value; it is put back afterwards."""
    value = account.ecr.get_account_setting(name="BLOB_MOUNTING")["value"]
    yield value
    account.ecr.put_account_setting(name="BLOB_MOUNTING", value=value)


@pytest.mark.operation("GetAccountSetting")
@pytest.mark.parametrize("name", VALUES)
def test_a_setting_has_one_of_its_values(account: Any, name: str) -> None:
    answer = account.ecr.get_account_setting(name=name)
    assert answer["name"] == name
    assert answer["value"] in VALUES[name]


@pytest.mark.operation("PutAccountSetting")
def test_a_setting_has_the_value_that_was_put(account: Any, blob_mounting: str) -> None:
    [other] = VALUES["BLOB_MOUNTING"] - {blob_mounting}

    account.ecr.put_account_setting(name="BLOB_MOUNTING", value=other)

    assert account.ecr.get_account_setting(name="BLOB_MOUNTING")["value"] == other
