"""Account settings: what an account has switched on in a region.

Sources: PutAccountSetting of the API reference, and the ECR user guide, "registry-permissions-account-settings",
"blob-mounting". The scan type CLAIR is gone since February 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import invalid_parameter
from local_ecr.state import registries

_VALUES = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE",),
    "REGISTRY_POLICY_SCOPE": ("V2", "V1"),
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
}
"""What each setting may be; the first is what a new registry has."""


def get_account_setting(call: Call) -> Mapping[str, Any]:
    name, values = _setting(call)
    with call.store.reading() as connection:
        settings = registries.get(connection, call.registry, registries.ACCOUNT_SETTINGS) or {}
    return {"name": name, "value": settings.get(name, values[0])}


def put_account_setting(call: Call) -> Mapping[str, Any]:
    name, values = _setting(call)
    value = call.input["value"]
    if value not in values:
        raise invalid_parameter("value", f"Member must satisfy enum value set: [{', '.join(values)}]")
    with call.store.changing() as change:
        settings = registries.get(change.connection, call.registry, registries.ACCOUNT_SETTINGS) or {}
        registries.put(change.connection, call.registry, registries.ACCOUNT_SETTINGS, {**settings, name: value})
    return {"name": name, "value": value}


def _setting(call: Call) -> tuple[str, tuple[str, ...]]:
    """The setting that is asked for, and its values. Raises EcrError InvalidParameterException for an unknown one."""
    name: str = call.input["name"]
    if name not in _VALUES:
        raise invalid_parameter("name", f"Member must satisfy enum value set: [{', '.join(_VALUES)}]")
    return name, _VALUES[name]


OPERATIONS: dict[str, Handler] = {
    "GetAccountSetting": get_account_setting,
    "PutAccountSetting": put_account_setting,
}
