"""What belongs to a registry as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.names import Registry
from local_ecr.replication.rules import EMPTY
from local_ecr.state import registries


def get_authorization_token(call: Call) -> Mapping[str, Any]:
    """`registryIds` adds an endpoint per registry and does not change what the token is good for."""
    token, expires_at = call.ecr.signer.mint_authorization_token(call.principal, call.registry.region)
    accounts = call.input.get("registryIds", [call.registry.account])
    region, is_by_aws_name = call.registry.region, call.facts.is_by_aws_name
    return {
        "authorizationData": [
            {
                "authorizationToken": token,
                "expiresAt": expires_at,
                "proxyEndpoint": call.ecr.registry_url(Registry(account, region), is_by_aws_name=is_by_aws_name),
            }
            for account in accounts
        ]
    }


def describe_registry(call: Call) -> Mapping[str, Any]:
    """The replication configuration as it was put."""
    with call.store.reading() as connection:
        configuration = registries.get(connection, call.registry, registries.REPLICATION)
    return {"registryId": call.registry.account, "replicationConfiguration": configuration or EMPTY}


OPERATIONS: dict[str, Handler] = {
    "GetAuthorizationToken": get_authorization_token,
    "DescribeRegistry": describe_registry,
}
