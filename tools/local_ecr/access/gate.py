"""The one gate that every request of both faces passes before anything is read or changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache

from local_ecr.access.decision import Judgement, call_keys, judge, principal_keys, sentence
from local_ecr.access.log import AccessDecision, DecisionLog
from local_ecr.access.permissions import Permission
from local_ecr.access.policies import Call, Context, Policy
from local_ecr.errors import EcrError
from local_ecr.names import InvalidNameError, Registry, parse_repository_arn
from local_ecr.principals import Principal
from local_ecr.state import repositories
from local_ecr.state.store import Store

REPOSITORY_POLICY = "repository policy"

Identities = Callable[[Principal], Sequence[Policy] | None]
"""The identity policies of a user or of a session's role, as they are now; None when it was deleted, even if there is
another of its name. An account's root is never asked for.
"""


def no_policies(principal: Principal) -> Sequence[Policy]:
    """Identities that may nothing: only an account's root gets in, and whom a repository policy names."""
    return ()


class Gate:
    """Decides by identity policies and repository policies as they are at this moment, and takes note of it."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        identities: Identities,
        log: DecisionLog,
        organization_id: str | None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._identities = identities
        self._log = log
        self._organization_id = organization_id

    def require(
        self,
        face: str,
        principal: Principal,
        registry: Registry,
        permissions: Iterable[Permission],
        request_keys: Context | None = None,
    ) -> None:
        """Raises EcrError `AccessDeniedException` for the first permission that `principal` does not have."""
        for permission in permissions:
            policies, resource_keys = self._of_repository(permission.resource)
            call = self._call(principal, registry, permission, {**resource_keys, **(request_keys or {})})
            judgement = self._judge(principal, call, policies)
            self._log.record(AccessDecision.of(self._clock(), face, call, judgement))
            if not judgement.is_allowed:
                raise EcrError("AccessDeniedException", sentence(call, judgement))

    def would_allow(self, principal: Principal, registry: Registry, permission: Permission, policy: str) -> bool:
        """Whether `principal` would have the permission if this were the repository's policy. It is not logged."""
        _, resource_keys = self._of_repository(permission.resource)
        call = self._call(principal, registry, permission, resource_keys)
        return self._judge(principal, call, (_read(policy),)).is_allowed

    def _call(self, principal: Principal, registry: Registry, permission: Permission, keys: Context) -> Call:
        return Call(
            permission.action,
            permission.resource,
            principal.in_policies,
            {
                **principal_keys(principal.in_policies, self._organization_id),
                **call_keys(self._clock(), registry.account),
                **keys,
                "aws:RequestedRegion": registry.region,
            },
        )

    def _judge(self, principal: Principal, call: Call, policies: Sequence[Policy]) -> Judgement:
        identity = () if principal.is_root else self._identities(principal)
        return judge(call, identity, policies)

    def _of_repository(self, resource: str) -> tuple[Sequence[Policy], Context]:
        """The policy and the resource tags of a repository; nothing where there is none, which is never told."""
        try:
            registry, name = parse_repository_arn(resource)
        except InvalidNameError:  # `*`, or `repository/*`
            return (), {}
        with self._store.reading() as connection:
            repository = repositories.find(connection, registry, name)
            if repository is None:
                return (), {}
            tags = repositories.resource_tags(connection, repository)
        keys = {f"{prefix}:ResourceTag/{key}": value for key, value in tags.items() for prefix in ("aws", "ecr")}
        return () if repository.policy is None else (_read(repository.policy),), keys


@lru_cache(maxsize=256)
def _read(text: str) -> Policy:
    return Policy(REPOSITORY_POLICY, json.loads(text))
