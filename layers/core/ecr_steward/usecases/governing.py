"""What holds for a repository: the rules, and the resource tags where rules ask for them."""

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.rules import Governing, Rules
from ecr_steward.ports.registry import Registry


def governing_rules(repository: RepositoryRef, rules: Rules, registry: Registry) -> Governing:
    """What the rules say about a repository. Its resource tags are read only where something depends on them.

    Raises RepositoryNotFoundError where they are.
    """
    resource_tags = registry.resource_tags(repository) if rules.needs_resource_tags(repository) else {}
    return rules.governing(repository, resource_tags)
