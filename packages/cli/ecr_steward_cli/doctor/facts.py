"""All that was read about a stack, before anything is decided about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecr_steward_cli.doctor.around.facts import Around
from ecr_steward_cli.doctor.parts.part import Part
from ecr_steward_cli.doctor.stack import DeployedStack


@dataclass(frozen=True)
class Facts:
    """A stack, its parts, and what lies around it."""

    stack: DeployedStack
    parts: tuple[Part, ...] = ()
    around: Around = field(default_factory=Around)
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Why a service did not answer, by its name; empty for one that did."""

    def of_types(self, *types: str) -> list[Part]:
        """The parts of some types of CloudFormation."""
        return [part for part in self.parts if part.type in types]
