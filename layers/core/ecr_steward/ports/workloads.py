"""The port to what runs images."""

from collections.abc import Mapping
from typing import Protocol

from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.usage import UsedImage


class Workloads(Protocol):
    """What runs in the accounts that are connected.

    Every method may raise the errors of ``ports.registry``, and WorkloadsUnreadError where an account runs more than
    can be read in its time; then nothing is known: half of what runs is no answer.
    """

    def run_by_ecs(self, region: str) -> tuple[UsedImage, ...]:
        """The images that task definitions of a region name, and those that services and tasks run there.

        Of each family its latest active revision counts, and of others those that a service or a task runs.
        Needs ecs:ListTaskDefinitions, ecs:DescribeTaskDefinition, ecs:ListClusters, ecs:ListServices,
        ecs:DescribeServices, ecs:ListTasks and ecs:DescribeTasks.
        """
        ...

    def run_by_lambda(self, region: str) -> tuple[UsedImage, ...]:
        """The images that any version of a function of a region names.

        Needs lambda:ListFunctions and lambda:GetFunction.
        """
        ...

    def counted_by_inspector(self, repository: RepositoryRef) -> Mapping[Digest, int]:
        """How many containers run each image that Inspector covers. Needs inspector2:ListCoverage."""
        ...
