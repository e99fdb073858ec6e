"""The parts of a sweep: what one message of its queue asks for."""

from dataclasses import dataclass

from ecr_steward.domain.names import RegistryRef


@dataclass(frozen=True)
class SweepPart:
    """Some repositories of one registry."""

    registry: RegistryRef
    repositories: tuple[str, ...]
    """Their names."""
    sweep: str
    """Which sweep it belongs to: all its parts share one brake."""
    settings_only: bool = False
    """Whether only the repositories' settings are looked at, as those of a registry that copies go to."""
    hops: int = 0
    """How often what is left of it was put back on the queue."""

    def __str__(self) -> str:
        return f"{len(self.repositories)} repositories of {self.registry}"
