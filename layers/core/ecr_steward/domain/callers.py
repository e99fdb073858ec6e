"""Who called ECR, as CloudTrail tells it."""

from collections.abc import Set
from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The identity behind an API call."""

    name: str
    """Its ARN, or the service that called on its own account."""
    role: str | None = None
    """The ARN of the role whose session called, path included."""
    through: str | None = None
    """The AWS service that called on behalf of this identity, such as ``cloudformation.amazonaws.com``."""

    def __str__(self) -> str:
        return f"{self.name} through {self.through}" if self.through else self.name


@dataclass(frozen=True)
class OwnRoles:
    """The roles that the steward's functions act as."""

    account: str
    path: str
    """Of the functions' own roles, such as ``/ecr-steward/``. Others may not make roles there, or they pass for us."""
    spoke_accounts: Set[str] = frozenset()
    spoke_role: str | None = None
    """In connected accounts; only the functions may become it."""

    def include(self, caller: Caller) -> bool:
        """Whether it was the steward itself that called."""
        if caller.role is None:
            return False
        account, _, name = caller.role.rpartition(":role")
        if account.endswith(f"::{self.account}"):
            return len(self.path) > 1 and name.startswith(self.path)
        connected = account.rpartition(":")[2] in self.spoke_accounts
        return connected and self.spoke_role is not None and name == f"/{self.spoke_role}"
