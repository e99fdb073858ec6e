"""What a push does before all else: see that there is a repository."""

from __future__ import annotations

from local_ecr.data.call import DataCall
from local_ecr.errors import repository_not_found
from local_ecr.images.mutability import Mutability
from local_ecr.quotas.room import require_room
from local_ecr.state import repositories

_ENCRYPTION = {"encryptionType": "AES256"}


def ensure_repository(call: DataCall) -> None:
    """Make the repository that is pushed to, where a plain registry would. Blocks.

    Raises EcrError RepositoryNotFoundException where it has to be there before, as in ECR; a creation template has
    had its say by then.
    """
    with call.ecr.store.reading() as connection:
        if repositories.find(connection, call.registry, call.repository_name) is not None:
            return
    if call.ecr.quirks.repositories_come_first:
        raise repository_not_found(call.repository_name, call.registry.account)
    call.require("CreateRepository")
    with call.ecr.store.changing() as change:
        repositories.create(
            change.connection,
            call.registry,
            call.repository_name,
            created_at=call.ecr.clock().timestamp(),
            mutability=Mutability(),
            scan_on_push=False,
            encryption=_ENCRYPTION,
        )
        require_room(change.connection, call.registry, call.ecr.quotas)
