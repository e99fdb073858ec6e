"""A faithful local Amazon ECR: the JSON API and the /v2/ API over one state, for boto3, docker, skopeo and oras.

Public are the names here and in `local_ecr.iam`, `local_ecr.faults`, `local_ecr.options` and `local_ecr.pytest_plugin`.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local_ecr.access.identities import read_identities
    from local_ecr.app import is_for_ecr
    from local_ecr.ecr import LocalEcr, RecordedScan
    from local_ecr.ending import Ending
    from local_ecr.errors import EcrError
    from local_ecr.hosts import registry_of
    from local_ecr.iam import AccessDecision, DecisionLog, Identity, Policy, UnknownRequestError
    from local_ecr.names import MAX_IMAGE_TAG, InvalidNameError, Registry, is_image_tag
    from local_ecr.principals import DEFAULT_ACCOUNT, Credential, Principal, account_principal, root_of_key
    from local_ecr.quirks import Quirks
    from local_ecr.quotas.rates import Quotas
    from local_ecr.requests import ForgottenRequestsError, Request, RequestLog
    from local_ecr.seeding.seeded_images import SeededImages
    from local_ecr.server import LocalEcrServer
    from local_ecr.signatures import MISMATCH, is_signed_with

__all__ = [
    "DEFAULT_ACCOUNT",
    "MAX_IMAGE_TAG",
    "MISMATCH",
    "AccessDecision",
    "Credential",
    "DecisionLog",
    "EcrError",
    "Ending",
    "ForgottenRequestsError",
    "Identity",
    "InvalidNameError",
    "LocalEcr",
    "LocalEcrServer",
    "Policy",
    "Principal",
    "Quirks",
    "Quotas",
    "RecordedScan",
    "Registry",
    "Request",
    "RequestLog",
    "SeededImages",
    "UnknownRequestError",
    "account_principal",
    "is_for_ecr",
    "is_image_tag",
    "is_signed_with",
    "read_identities",
    "registry_of",
    "root_of_key",
]

_MODULES = {
    "access.identities": ["read_identities"],
    "app": ["is_for_ecr"],
    "ecr": ["LocalEcr", "RecordedScan"],
    "ending": ["Ending"],
    "errors": ["EcrError"],
    "hosts": ["registry_of"],
    "iam": ["AccessDecision", "DecisionLog", "Identity", "Policy", "UnknownRequestError"],
    "names": ["MAX_IMAGE_TAG", "InvalidNameError", "Registry", "is_image_tag"],
    "principals": ["DEFAULT_ACCOUNT", "Credential", "Principal", "account_principal", "root_of_key"],
    "quirks": ["Quirks"],
    "quotas.rates": ["Quotas"],
    "requests": ["ForgottenRequestsError", "Request", "RequestLog"],
    "seeding.seeded_images": ["SeededImages"],
    "server": ["LocalEcrServer"],
    "signatures": ["MISMATCH", "is_signed_with"],
}
"""Where each name is. A module is loaded when its first name is used: every pytest of a project that has local-ecr
installed loads the plugin, and must not wait for boto3, pydantic and a server that its tests do not use.
"""

if not TYPE_CHECKING:  # a type checker would take every name for known

    def __getattr__(name: str) -> object:
        for module, names in _MODULES.items():
            if name in names:
                value = getattr(importlib.import_module(f"local_ecr.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
