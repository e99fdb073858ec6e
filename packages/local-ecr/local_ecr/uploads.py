"""Layers on their way in: sessions that receive bytes in order, verify them, and make them a layer of a repository.

An upload goes on behind its last acknowledged part, also in a process that was started after another was killed: bytes
that nobody acknowledged are cut off. It does not go on (UploadNotFoundException, BLOB_UPLOAD_UNKNOWN) when it was
completed or cancelled, when PUSH_LIFETIME has passed since its start, and when the process ended, or the disk was full,
at the moment when it became a layer; then it begins anew.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from local_ecr.errors import EcrError, upload_in_use, upload_not_found
from local_ecr.images.removal import PUSH_LIFETIME
from local_ecr.names import Digest, Registry
from local_ecr.principals import Principal
from local_ecr.quirks import Quirks
from local_ecr.state import layers, repositories
from local_ecr.state.content import UploadFile
from local_ecr.state.failures import telling_what_the_disk_refuses
from local_ecr.state.layers import Upload
from local_ecr.state.repositories import Repository
from local_ecr.state.store import Store

MIN_PART_BYTES = 5 * 1024 * 1024
PART_SIZE_HINT = 10 * 1024 * 1024
MAX_LAYER_BYTES = 52_000 * 1024 * 1024  # ECR's quota
MAX_PARTS = 4_200


class Uploads:
    """Starts upload sessions and finds them again, for their repository and their principal only."""

    def __init__(self, store: Store, clock: Callable[[], datetime], quirks: Quirks) -> None:
        self._store = store
        self._clock = clock
        self._quirks = quirks

    def start(self, registry: Registry, repository_name: str, principal: Principal) -> str:
        """Begin an upload and return its id. Raises EcrError when there is no such repository."""
        upload_id = str(uuid.uuid4())
        with self._store.changing() as change:
            repository = repositories.get(change.connection, registry, repository_name)
            self._store.content.begin(registry, upload_id)
            now = self._clock().timestamp()
            layers.start_upload(change.connection, upload_id, repository.id, principal.arn, now)
        return upload_id

    def received(self, registry: Registry, repository_name: str, principal: Principal, upload_id: str) -> int:
        """Bytes acknowledged so far."""
        return self._find(registry, repository_name, principal, upload_id)[1].received

    @contextmanager
    def session(
        self, registry: Registry, repository_name: str, principal: Principal, upload_id: str
    ) -> Iterator[UploadSession]:
        """Hold an upload for one request. Raises EcrError when it does not exist or another request holds it."""
        session = self.take(registry, repository_name, principal, upload_id)
        try:
            yield session
        finally:
            session.release()

    def take(self, registry: Registry, repository_name: str, principal: Principal, upload_id: str) -> UploadSession:
        """As `session`, for a caller that calls `release` itself."""
        self._find(registry, repository_name, principal, upload_id)  # or a stranger could hold it, or learn that it is
        if not self._store.upload_files.take(upload_id):
            raise upload_in_use(upload_id)
        try:  # it is read again: until it was taken, another request could write it or end it
            repository, upload = self._find(registry, repository_name, principal, upload_id)
            try:
                path = self._store.content.upload_path(registry, upload.id)
                file = self._store.upload_files.file(upload_id, path, upload.received)
            except FileNotFoundError as cause:
                raise upload_not_found(upload_id, repository_name, registry.account) from cause
        except BaseException:
            self._store.upload_files.release(upload_id)
            raise
        return UploadSession(self._store, self._clock, self._quirks, repository, upload, file)

    def _find(
        self, registry: Registry, repository_name: str, principal: Principal, upload_id: str
    ) -> tuple[Repository, Upload]:
        with self._store.reading() as connection:
            repository = repositories.get(connection, registry, repository_name)
            upload = layers.find_upload(connection, upload_id, repository.id, principal.arn)
        if upload is None or upload.started_at < (self._clock() - PUSH_LIFETIME).timestamp():
            raise upload_not_found(upload_id, repository_name, registry.account)
        return repository, upload


@dataclass(frozen=True)
class UploadSession:
    """One request's hold on an upload."""

    store: Store
    clock: Callable[[], datetime]
    quirks: Quirks
    repository: Repository
    upload: Upload
    file: UploadFile

    @property
    def offset(self) -> int:
        """Where the next byte goes."""
        return self.file.offset

    def append(self, data: bytes | bytearray) -> None:
        """Write more bytes; they count once `keep_part` or `complete` returns."""
        if self.file.offset + len(data) > MAX_LAYER_BYTES:
            raise EcrError("LimitExceededException", f"A layer may have at most {MAX_LAYER_BYTES} bytes.")
        with self._gone_is_unknown(), telling_what_the_disk_refuses():
            self.file.append(data)

    def keep_part(self) -> int:
        """Acknowledge what was appended as one part; the number of bytes received in all."""
        if self.upload.parts >= MAX_PARTS:
            raise EcrError("LimitExceededException", f"An upload may have at most {MAX_PARTS} parts.")
        with self.store.changing() as change:
            self._require_alive(change.connection)
            layers.record_part(change.connection, self.upload, self.offset, self._follows_small_part())
        return self.offset

    def complete(self, digests: Sequence[Digest]) -> tuple[Digest, bool]:
        """Verify and keep the layer under the first of `digests` that is its own; also whether it was there already.

        Raises EcrError InvalidLayerException when none is, and ends the upload then. ECR's words for that and for small
        parts are quoted in github.com/dotnet/sdk-container-builds/issues/424.
        """
        if self.quirks.small_parts_refused and (self.upload.has_small_part or self._follows_small_part()):
            least = f"{MIN_PART_BYTES >> 20}MB"
            raise EcrError(
                "LayerPartTooSmallException", f"All layer parts except the last part should be at least {least}"
            )
        with self._gone_is_unknown():
            digest = next((one for one in digests if self.file.digest(one.partition(":")[0]) == one), None)
        if digest is None:
            self.cancel()
            raise EcrError(
                "InvalidLayerException", "None of the provided layer digests match the calculated layer digest"
            )
        repository = self.repository
        with self.store.changing() as change:
            self._require_alive(change.connection)
            already = layers.size_of(change.connection, repository.id, digest) is not None
            with self._gone_is_unknown():
                self.store.content.adopt(repository.registry, self.upload.id, digest)
            layers.add(change.connection, repository.id, digest, self.offset, self.clock().timestamp())
            layers.end_upload(change.connection, self.upload.id)
        self.store.upload_files.forget(self.upload.id)
        return digest, already

    def cancel(self) -> None:
        """End the upload and drop what it received."""
        with self.store.changing() as change:
            layers.end_upload(change.connection, self.upload.id)
        self.store.content.remove_upload(self.repository.registry, self.upload.id)
        self.store.upload_files.forget(self.upload.id)

    def release(self) -> None:
        self.store.upload_files.release(self.upload.id)

    def _require_alive(self, connection: sqlite3.Connection) -> None:
        """The repository, and the upload with it, may have been deleted while bytes came in."""
        if layers.find_upload(connection, self.upload.id, self.repository.id, self.upload.principal) is None:
            raise self._unknown()

    @contextmanager
    def _gone_is_unknown(self) -> Iterator[None]:
        """The same, seen from the file."""
        try:
            yield
        except FileNotFoundError as cause:
            raise self._unknown() from cause

    def _unknown(self) -> EcrError:
        self.store.upload_files.forget(self.upload.id)
        return upload_not_found(self.upload.id, self.repository.name, self.repository.registry.account)

    def _follows_small_part(self) -> bool:
        grew = self.offset > self.upload.received
        return grew and self.upload.parts > 0 and self.upload.last_part_size < MIN_PART_BYTES
