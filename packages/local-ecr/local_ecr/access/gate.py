"""The one gate that every request of both faces passes before anything is read or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from local_ecr.access.keys import UNSENT, RequestFacts, resource_keys
from local_ecr.errors import EcrError
from local_ecr.iam import (
    AccessDecision,
    Call,
    Context,
    DecisionLog,
    Evidence,
    Identity,
    Judgement,
    Permission,
    Policy,
    call_keys,
    judge,
    principal_keys,
    read_policy,
    sentence,
    source_keys,
)
from local_ecr.names import InvalidNameError, Registry, parse_repository_arn
from local_ecr.principals import Principal
from local_ecr.state.grounds import grounds_of
from local_ecr.state.store import Store

REPOSITORY_POLICY = "repository policy"
REGISTRY_POLICY = "registry policy"
OFF = "access is off"
GET_TOKEN = "ecr:GetAuthorizationToken"  # noqa: S105  an action

SCOPE = "REGISTRY_POLICY_SCOPE"
DEFAULT_SCOPE = "V2"
FIRST_SCOPE = frozenset({"ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"})
"""All that a registry policy decides when its scope is V1. ECR user guide, "Private registry permissions"."""

Identities = Callable[[Principal], Identity | Sequence[Policy] | None]
"""What IAM holds of a user or of a session's role, as it is now: an Identity, or its policies alone; None when it was
deleted, even if there is another of its name. Roots and AWS services are never asked for.
"""


def no_policies(principal: Principal) -> Sequence[Policy]:
    """Identities that may nothing: only an account's root gets in, and whom a repository policy names."""
    return ()


class Gate:
    """Decides by the policies of identities, repositories and registries as they are now, and takes note of it.

    `authorize` False: whoever is known may everything.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        identities: Identities,
        log: DecisionLog,
        organization_id: str | None,
        *,
        authorize: bool = True,
    ) -> None:
        self._store = store
        self._clock = clock
        self._identities = identities
        self._log = log
        self._organization_id = organization_id
        self.authorize = authorize

    def require(
        self,
        face: str,
        principal: Principal,
        registry: Registry,
        permissions: Iterable[Permission],
        request_keys: Context | None = None,
        *,
        facts: RequestFacts = UNSENT,
    ) -> None:
        """Raises EcrError `AccessDeniedException` for the first permission that `principal` does not have.

        `request_keys` are the condition keys of what is asked for; `facts` tell of the request that asks.
        """
        for permission in permissions:
            if refusal := self.refusal(face, principal, registry, permission, request_keys, facts=facts):
                raise EcrError("AccessDeniedException", refusal)

    def refusal(
        self,
        face: str,
        principal: Principal,
        registry: Registry,
        permission: Permission,
        request_keys: Context | None = None,
        *,
        facts: RequestFacts = UNSENT,
    ) -> str | None:
        """Why `principal` does not have a permission, in AWS's words; None when it has. It is logged."""
        policies, tags = self._of_resource(registry, permission)
        identity = self._identity_of(principal)
        keys = {**facts.keys, **resource_keys(tags), **(request_keys or {})}
        call = self._call(principal, identity, registry, permission, keys)
        judgement = self._judge(principal, call, identity, policies)
        evidence = Evidence(call, identity, policies) if self.authorize else None
        self._log.record(
            AccessDecision.of(self._clock(), face, call, judgement, request_id=facts.id, evidence=evidence)
        )
        return None if judgement.is_allowed else sentence(call, judgement)

    def would_allow(
        self,
        principal: Principal,
        registry: Registry,
        permission: Permission,
        policy: str,
        *,
        facts: RequestFacts = UNSENT,
    ) -> bool:
        """Whether `principal` would have the permission if this were the repository's policy. It is not logged."""
        policies, tags = self._of_resource(registry, permission)
        identity = self._identity_of(principal)
        call = self._call(principal, identity, registry, permission, {**facts.keys, **resource_keys(tags)})
        others = [one for one in policies if one.name != REPOSITORY_POLICY]
        return self._judge(principal, call, identity, [read_policy(REPOSITORY_POLICY, policy), *others]).is_allowed

    def _identity_of(self, principal: Principal) -> Identity | None:
        if principal.is_root or principal.is_service:
            return Identity()
        found = self._identities(principal)
        return found if found is None or isinstance(found, Identity) else Identity(found)

    def _call(
        self,
        principal: Principal,
        identity: Identity | None,
        registry: Registry,
        permission: Permission,
        keys: Context,
    ) -> Call:
        known = principal.in_policies
        return Call(
            permission.action,
            permission.resource,
            known,
            {
                **principal_keys(known, self._organization_id, identity.tags if identity else None),
                **source_keys(principal.source_arn, principal.account, self._organization_id),
                **call_keys(self._clock(), registry.account),
                **keys,
                "aws:RequestedRegion": registry.region,
            },
        )

    def _judge(
        self, principal: Principal, call: Call, identity: Identity | None, policies: Sequence[Policy]
    ) -> Judgement:
        if not self.authorize:
            return Judgement(True, OFF)
        if principal.is_service and call.action == GET_TOKEN:
            # No policy could say so: a service has none, and the action belongs to no repository.
            return Judgement(True, "AWS service")
        return judge(call, identity, policies)

    def _of_resource(self, registry: Registry, permission: Permission) -> tuple[list[Policy], Mapping[str, str]]:
        """The policies of a repository and its registry, and its resource tags; nothing is told where there is none."""
        try:
            repository = parse_repository_arn(permission.resource)
        except InvalidNameError:  # `*`, or `repository/*`
            repository = None
        with self._store.looking() as connection:
            grounds = grounds_of(connection, registry, repository)
        policies = []
        if grounds.repository_policy is not None:
            policies.append(read_policy(REPOSITORY_POLICY, grounds.repository_policy))
        if grounds.registry_policy is not None and _is_for_registry_policy(permission.action, grounds.account_settings):
            policies.append(read_policy(REGISTRY_POLICY, grounds.registry_policy))
        return policies, grounds.resource_tags


def _is_for_registry_policy(action: str, account_settings: Mapping[str, Any]) -> bool:
    """Whether the scope of a registry policy has this action.

    What a call needs of another service, such as iam:PassRole, is no matter of the registry, whatever `*` would match.
    """
    return action.startswith("ecr:") and (account_settings.get(SCOPE, DEFAULT_SCOPE) != "V1" or action in FIRST_SCOPE)
