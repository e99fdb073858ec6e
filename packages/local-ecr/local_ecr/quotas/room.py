"""How many repositories a registry may have."""

from __future__ import annotations

import sqlite3

from local_ecr.errors import too_many_repositories
from local_ecr.names import Registry
from local_ecr.quotas.rates import Quotas
from local_ecr.state import repositories


def require_room(connection: sqlite3.Connection, registry: Registry, quotas: Quotas | None) -> None:
    """To be asked in the transaction that has just made one. Raises EcrError LimitExceededException."""
    if quotas is not None and repositories.count(connection, registry) > quotas.repositories:
        raise too_many_repositories(registry.account, quotas.repositories)
