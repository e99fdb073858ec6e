"""CREATE_ON_PUSH: a push to a repository that is not there makes it, if a creation template is for it.

Only a push to the registry's own host does. Whether InitiateLayerUpload and PutImage of the JSON API would is unknown:
no page of AWS's says so, and their references keep naming RepositoryNotFoundException among the errors.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from local_ecr.access.keys import UNSENT, RequestFacts
from local_ecr.access.permissions import permissions_for
from local_ecr.iam import Permission
from local_ecr.names import Registry
from local_ecr.principals import Principal
from local_ecr.quotas.room import require_room
from local_ecr.services import Services
from local_ecr.state import repositories
from local_ecr.state.creation_templates import CreationTemplate
from local_ecr.templates.creation import CREATE_ON_PUSH, ensure_repository, find_template, lacks_role
from local_ecr.templates.telling import tell_creation, tell_failed_creation

PUSHES = frozenset({"InitiateLayerUpload", "PutImage"})
"""The operations that a push may begin with."""

_NOBODY = json.dumps({"Version": "2012-10-17", "Statement": []})
_EVERYBODY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}
)


def create_on_push(
    ecr: Services, principal: Principal, registry: Registry, name: str, operation: str, *, facts: RequestFacts = UNSENT
) -> None:
    """Make the repository that `operation` pushes to, where that is for ECR to do. Otherwise nothing happens.

    Whoever pushes needs no ecr:CreateRepository: ECR makes the repository by its service-linked role, or by the
    template's own (ECR user guide, "slr-rct"). Whether the push itself is allowed is still to be asked: the new
    repository has the template's policy by then.
    """
    with ecr.store.reading() as connection:
        if repositories.find(connection, registry, name) is not None:
            return
        template = find_template(connection, registry, name, CREATE_ON_PUSH)
    permissions = permissions_for(registry, operation, [name])
    if template is None or not _may_push(ecr, principal, registry, permissions, template, facts=facts):
        return
    if lacks_role(template):
        tell_failed_creation(ecr, registry, name, CREATE_ON_PUSH, template)
        return
    with ecr.store.changing() as change:
        is_new = repositories.find(change.connection, registry, name) is None
        ensure_repository(change, registry, name, CREATE_ON_PUSH, ecr.clock())
        require_room(change.connection, registry, ecr.quotas)
    if is_new:
        tell_creation(ecr, registry, name, CREATE_ON_PUSH)


def _may_push(
    ecr: Services,
    principal: Principal,
    registry: Registry,
    permissions: Iterable[Permission],
    template: CreationTemplate,
    *,
    facts: RequestFacts,
) -> bool:
    """Whether the push could be allowed, by the policy that the new repository would have.

    A caller of another account needs that policy and an allow of its own; ECR looks at the first only when the
    repository is there.
    """
    is_guest = principal.account != registry.account
    if is_guest and ecr.quirks.creation_before_repository_policy:
        policy = _EVERYBODY
    else:
        policy = template.repository_policy or _NOBODY
    return all(ecr.gate.would_allow(principal, registry, permission, policy, facts=facts) for permission in permissions)
