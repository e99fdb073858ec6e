"""May this principal make this API call? One answer for everything but ECR, which has a gate of its own, by the same
policies, rules and log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ecr_steward_sandbox.api_calls import ApiCall, HttpRequest
from ecr_steward_sandbox.delivery.wiring import Wiring
from ecr_steward_sandbox.event_keys import event_keys
from ecr_steward_sandbox.identity import iam
from ecr_steward_sandbox.identity.organizations import organization_keys
from ecr_steward_sandbox.leading_keys import leading_keys
from ecr_steward_sandbox.moto_gateway import HttpAnswer
from ecr_steward_sandbox.permissions import needs
from ecr_steward_sandbox.refusals import denied
from ecr_steward_sandbox.secret_store import secret_policy
from local_ecr import AccessDecision, DecisionLog, Policy, Principal
from local_ecr.iam import API, Call, Context, Evidence, Identity, Permission, call_keys, judge, principal_keys, sentence

_RESOURCE_POLICIES = {
    "events": "bus policy",
    "lambda": "function policy",
    "sns": "topic policy",
    "sqs": "queue policy",
}
"""What a person calls the policy of a resource."""


class Access:
    """Judges by the policies of users, roles, sessions and resources as they are now, and logs every decision."""

    def __init__(
        self,
        wiring: Callable[[], Wiring],
        identities: Callable[[Principal], Identity | None],
        log: DecisionLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._wiring = wiring
        self._identities = identities
        self._log = log
        self._clock = clock

    def refuse(self, request: HttpRequest, call: ApiCall, principal: Principal) -> HttpAnswer | None:
        """The answer to a call that is not allowed; None when it is. Raises ValueError for a body that is no JSON."""
        for permission in needs(request, call, principal.account):
            own_keys = {**leading_keys(request, call, permission), **event_keys(request, call, permission)}
            keys = {"aws:RequestedRegion": call.region, **request.sender_keys, **own_keys}
            if refusal := self.refusal(principal, permission, keys):
                return denied(request, call, refusal)
        return None

    def refusal(self, principal: Principal, permission: Permission, keys: Context) -> str | None:
        """Why the call is refused, in AWS's words; None when it is allowed. `keys` are condition keys of the call."""
        now = self._clock()
        identity = Identity() if principal.is_root else self._identities(principal)
        call = Call(permission.action, permission.resource, principal.in_policies)
        tags = identity.tags if identity is not None else {}
        context = {
            **principal_keys(principal.in_policies, tags=tags),
            **call_keys(now, call.owner),
            **organization_keys(self._wiring().organizations, principal.account, call.owner),
            **keys,
        }
        call = replace(call, context=context)
        is_trust = call.resource.split(":")[2:3] == ["iam"]
        policies = _trust_policies(call.resource) if is_trust else self._resource_policies(call.resource)
        judgement = judge(call, identity, policies, is_trust=is_trust)
        if is_trust:
            judgement = replace(judgement, why=judgement.why.replace("resource-based policy", "role trust policy"))
        evidence = Evidence(call, identity, policies)
        self._log.record(AccessDecision.of(now, API, call, judgement, evidence=evidence))
        return None if judgement.is_allowed else sentence(call, judgement)

    def _resource_policies(self, arn: str) -> tuple[Policy, ...]:
        service = (arn.split(":") + [""] * 3)[2]
        if service == "secretsmanager":
            document = secret_policy(arn)
            return () if document is None else (Policy("secret policy", document),)
        name = _RESOURCE_POLICIES.get(service, "resource policy")
        return tuple(Policy(name, document) for document in self._wiring().resource_policies.get(arn, ()))


def _trust_policies(role_arn: str) -> tuple[Policy, ...]:
    role = iam.find_role(role_arn)
    return () if role is None else (role.trust,)
