"""The token that every request of docker and its like carries."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3


@pytest.mark.operation("GetAuthorizationToken")
def test_a_token_opens_the_registry_that_it_names_and_nothing_does_without(account: Any) -> None:
    data = account.ecr.get_authorization_token()["authorizationData"][0]

    url = f"{data['proxyEndpoint']}/v2/"
    basic = {"Authorization": f"Basic {data['authorizationToken']}"}
    assert urllib3.request("GET", url, headers=basic, retries=False).status == 200
    assert urllib3.request("GET", url, retries=False).status == 401
    assert base64.b64decode(data["authorizationToken"]).startswith(b"AWS:")
    left = data["expiresAt"] - datetime.now(UTC)
    assert timedelta(hours=11) < left <= timedelta(hours=12, minutes=1)
