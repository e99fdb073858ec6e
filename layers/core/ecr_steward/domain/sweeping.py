"""The parts of a sweep: what one message of its queue asks for."""

from dataclasses import dataclass

from ecr_steward.domain.names import RegistryRef


@dataclass(frozen=True)
class SweepPart:
    """Some repositories of one registry, and perhaps the registry's own settings."""

    registry: RegistryRef
    repositories: tuple[str, ...]
    """Their names."""
    sweep: str
    """Which sweep it belongs to: all its parts share one brake."""
    settings_only: bool = False
    """Whether only the repositories' settings are looked at, as those of a registry that copies go to."""
    whole_registry: bool = False
    """Whether the settings of the registry itself are looked at, too."""
    hops: int = 0
    """How often what is left of it was put back on the queue."""

    def __str__(self) -> str:
        return f"{len(self.repositories)} repositories of {self.registry}"
