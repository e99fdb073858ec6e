"""Self-check → the note that an account is connected, where accounts announce themselves."""

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.ports.accounts import Announcements


def note_announcement(registry: RegistryRef, *, own: str, announcements: Announcements | None) -> Outcome:
    """Note where a self-check comes from. Our own account is not connected to itself.

    Without ``announcements`` the template names all accounts, and nothing is noted.
    """
    outcome = Outcome(f"self-check of {registry}")
    if registry.account == own:
        return outcome.remarking("the steward's own account")
    if announcements is None:
        return outcome.remarking("SpokeAccounts says which accounts are connected")
    if announcements.note(registry):
        return outcome.remarking("connected from now on")
    return outcome
