"""Self-check → the note that an account is connected, where accounts announce themselves."""

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.ports.accounts import Announcements


def note_announcement(registry: RegistryRef, *, own: str, announcements: Announcements | None) -> tuple[Outcome, ...]:
    """Note where a self-check comes from; an outcome where that is news. Our own account is not connected to itself.

    Without ``announcements`` the template names all accounts, and nothing is noted.
    """
    if registry.account == own or announcements is None or not announcements.note(registry):
        return ()
    return (Outcome(f"self-check of {registry}", remark="connected from now on"),)
