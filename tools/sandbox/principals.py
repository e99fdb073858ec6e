"""Who a request comes from: access keys to accounts and identities, for ECR and for the rest of AWS alike."""

from __future__ import annotations

import re
import threading

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from local_ecr import Credential, Principal, account_principal
from sandbox.delivery.stores import MOTO_LOCK

PARTITION = "aws"
SESSION_SECONDS = 12 * 3600  # the longest that STS gives; the sandbox's own sessions are renewed with each worker


class Principals:
    """Knows the keys that this sandbox gave out, those of moto's STS and IAM, and else the account that a key names."""

    def __init__(self, default_account: str) -> None:
        self._default_account = default_account
        self._lock = threading.Lock()
        self._known: dict[str, Principal] = {}

    def assume(self, role_arn: str, region: str, session_name: str) -> dict[str, str]:
        """Environment variables of a session of the role, as Lambda gives them to a function."""
        account = role_arn.split(":")[4]
        with MOTO_LOCK:
            session = sts_backends[account][PARTITION].assume_role(
                region_name=region,
                role_session_name=session_name,
                role_arn=role_arn,
                policy="",
                duration=SESSION_SECONDS,
                external_id="",
            )
        return {
            "AWS_ACCESS_KEY_ID": session.access_key_id,
            "AWS_SECRET_ACCESS_KEY": session.secret_access_key,
            "AWS_SESSION_TOKEN": session.session_token,
        }

    def of(self, credential: Credential) -> Principal:
        """The principal that signs with this key. A key that nobody gave out is the default account's root."""
        key = credential.access_key_id
        with self._lock:
            if key in self._known:
                return self._known[key]
        with MOTO_LOCK:
            found = _assumed_role(key) or _user(key)
        if found is None:
            named = account_principal(credential)
            account = key if re.fullmatch(r"\d{12}", key) else self._default_account
            return Principal(account, named.arn.replace(f"::{named.account}:", f"::{account}:"), key)
        with self._lock:
            self._known[key] = found
        return found


def _assumed_role(key: str) -> Principal | None:
    for account in list(sts_backends):
        session = sts_backends[account][PARTITION].get_assumed_role_from_access_key(key)
        if session is not None:
            return Principal(session.account_id, session.arn, key)
    return None


def _user(key: str) -> Principal | None:
    for account in list(iam_backends):
        user = iam_backends[account][PARTITION].get_user_from_access_key_id(key)
        if user is not None:
            return Principal(account, user.arn, key)
    return None
