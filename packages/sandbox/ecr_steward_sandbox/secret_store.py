"""moto's Secrets Manager as a store: which secret a name means, and who may use it by its own policy."""

from __future__ import annotations

import json
from typing import Any

from moto.secretsmanager.models import secretsmanager_backends

from ecr_steward_sandbox.delivery.stores import MOTO_LOCK
from local_ecr.iam import Document

PARTITION = "aws"
_ARN_COLONS = 6  # arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-RANDOM


def secret_arn(account: str, region: str, secret_id: str) -> str:
    """The whole ARN of a secret, which ends in six random characters, by its name, its ARN or its ARN without those.

    A secret that does not exist has none of those.
    """
    name = secret_id
    if secret_id.startswith("arn:"):
        if secret_id.count(":") < _ARN_COLONS:
            return secret_id
        region, account, _, name = secret_id.split(":", _ARN_COLONS)[3:]
    with MOTO_LOCK:
        stored = _find(account, region, name)
    return str(stored.arn) if stored is not None else f"arn:{PARTITION}:secretsmanager:{region}:{account}:secret:{name}"


def secret_policy(arn: str) -> Document | None:
    """The resource policy of a secret; None where it or the secret is missing."""
    region, account, _, name = arn.split(":", _ARN_COLONS)[3:]
    with MOTO_LOCK:
        text = getattr(_find(account, region, name), "policy", None)  # a replica has none
    if text is None:
        return None
    document: Document = json.loads(text)
    return document


def _find(account: str, region: str, name: str) -> Any:
    secrets = secretsmanager_backends[account][region].secrets.values()
    return next((one for one in secrets if name in (one.name, one.arn.split(":", _ARN_COLONS)[-1])), None)
