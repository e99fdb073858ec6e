"""From the key ``repository`` to the settings that a repository of a rule is to have."""

from collections.abc import Callable, Iterable

from ecr_steward.domain.lifecycle.document import lifecycle_document
from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.repositories import Encryption, Mutability, RepositorySettings, TagMutability
from ecr_steward.rulebook import settings
from ecr_steward.rulebook.compile_lifecycle import compile_lifecycle
from ecr_steward.rulebook.policy_document import policy_rules


def settings_of(
    wanted: settings.RepositoryRules, protect: Iterable[Matcher] = ()
) -> Callable[[RegistryRef], RepositorySettings]:
    """Compile the wanted settings. They depend on the registry: a policy names the account it stands in.

    And on the image tags that nothing may remove, ``protect``, where a rule says so of the same repository.
    """
    lifecycle = compile_lifecycle(wanted.lifecycle, protect) if wanted.lifecycle is not None else None
    mutability = _mutability(wanted.mutability) if wanted.mutability else None
    encryption = Encryption(wanted.encryption.type.upper(), wanted.encryption.key) if wanted.encryption else None
    scan_on_push = {None: None, "on_push": True, "manual": False}[wanted.scanning]

    def of(registry: RegistryRef) -> RepositorySettings:
        return RepositorySettings(
            policy_rules=policy_rules(wanted.policy, registry) if wanted.policy else None,
            lifecycle=lifecycle_document(lifecycle.native) if lifecycle else None,
            retention=lifecycle.retention if lifecycle else None,
            not_done=tuple(f"{each.why}, so this entry is left out" for each in lifecycle.refused) or None
            if lifecycle
            else None,
            mutability=mutability,
            scan_on_push=scan_on_push,
            encryption=encryption,
            resource_tags=wanted.resource_tags,
        )

    return of


def _mutability(wanted: settings.Mutability) -> TagMutability:
    match wanted.immutable, bool(wanted.except_):
        case True, True:
            mode = Mutability.IMMUTABLE_WITH_EXCLUSION
        case True, False:
            mode = Mutability.IMMUTABLE
        case False, True:
            mode = Mutability.MUTABLE_WITH_EXCLUSION
        case _:
            mode = Mutability.MUTABLE
    return TagMutability(mode, frozenset(wanted.except_))
