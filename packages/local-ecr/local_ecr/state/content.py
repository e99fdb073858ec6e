"""The bits on disk: one folder per registry, one file per blob, named by its digest.

<root>/<account>/<region>/blobs/sha256/<hex>    complete and verified
<root>/<account>/<region>/uploads/<uuid>        what an upload has received so far
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
import uuid
from collections.abc import Iterable
from pathlib import Path

from local_ecr.names import Digest, Registry

READ_SIZE = 1 << 20


class ContentStore:
    def __init__(self, root: Path) -> None:
        self._root = root

    def blob_path(self, registry: Registry, digest: Digest) -> Path:
        return self._root / blob_name(registry, digest)

    def upload_path(self, registry: Registry, upload_id: str) -> Path:
        return self._root / upload_name(registry, upload_id)

    def begin(self, registry: Registry, upload_id: str) -> None:
        path = self.upload_path(registry, upload_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(exist_ok=False)

    def adopt(self, registry: Registry, upload_id: str, digest: Digest) -> None:
        """Turn a received and verified file into the blob `digest`. It is never both: no blob can be appended to."""
        target = self.blob_path(registry, digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        self.upload_path(registry, upload_id).replace(target)

    def share(self, source: Registry, target: Registry, digests: Iterable[Digest]) -> None:
        """Give blobs of one registry to another as well, each whole or not at all. Nobody may remove them meanwhile.

        They are hard links where the file system has them, since no blob is ever written to.
        """
        for digest in digests:
            wanted = self.blob_path(target, digest)
            wanted.parent.mkdir(parents=True, exist_ok=True)
            self._link(self.blob_path(source, digest), wanted, self.upload_path(target, f"copy-{uuid.uuid4()}"))

    def remove_blob(self, registry: Registry, digest: Digest) -> None:
        self.blob_path(registry, digest).unlink(missing_ok=True)

    def remove_upload(self, registry: Registry, upload_id: str) -> None:
        self.upload_path(registry, upload_id).unlink(missing_ok=True)

    def sizes(self) -> dict[str, int]:
        """Bytes of every file of an upload, a copy or a blob, finished or given up; by its path below the root."""
        found = {}
        for folder in (*self._root.glob("*/*/uploads"), *self._root.glob("*/*/blobs/*")):
            name = folder.relative_to(self._root).as_posix()
            with os.scandir(folder) as entries:
                for entry in entries:
                    with contextlib.suppress(FileNotFoundError):  # files of uploads go at any time
                        if entry.is_file():
                            found[f"{name}/{entry.name}"] = entry.stat().st_size
        return found

    def remove(self, name: str) -> None:
        """Remove a file, by its path below the root."""
        (self._root / name).unlink(missing_ok=True)

    @staticmethod
    def _link(source: Path, target: Path, unfinished: Path) -> None:
        try:
            target.hardlink_to(source)
        except FileExistsError:
            return
        except OSError:  # no hard links here, or too many of this file
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(source, unfinished)
                unfinished.replace(target)
            finally:
                unfinished.unlink(missing_ok=True)


def blob_name(registry: Registry, digest: Digest) -> str:
    """Path of a blob below the root."""
    algorithm, _, encoded = digest.partition(":")
    return f"{registry.account}/{registry.region}/blobs/{algorithm}/{encoded}"


def upload_name(registry: Registry, upload_id: str) -> str:
    return f"{registry.account}/{registry.region}/uploads/{upload_id}"


class UploadFile:
    """Appends to an upload's file and hashes what it writes; not thread-safe, one writer holds it at a time."""

    def __init__(self, path: Path, offset: int) -> None:
        """Continue after the first `offset` bytes; what a broken request wrote beyond them is cut off."""
        self._path = path
        self._hasher = hashlib.sha256()
        self.offset = offset
        with path.open("r+b") as file:
            file.truncate(offset)
            while block := file.read(READ_SIZE):
                self._hasher.update(block)

    def append(self, data: bytes | bytearray) -> None:
        with self._path.open("r+b", buffering=0) as file:
            file.seek(self.offset)
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
        self._hasher.update(data)
        self.offset += len(data)

    def digest(self, algorithm: str) -> Digest:
        """The digest of everything written; another algorithm than sha256 reads the file once more."""
        if algorithm == "sha256":
            return Digest(f"sha256:{self._hasher.hexdigest()}")
        with self._path.open("rb") as file:
            return Digest(f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}")


class UploadFiles:
    """The upload files that are open in this process, each used by one request at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, UploadFile] = {}
        self._busy: set[str] = set()

    def take(self, upload_id: str) -> bool:
        """Reserve an upload for one request; False when another holds it."""
        with self._lock:
            if upload_id in self._busy:
                return False
            self._busy.add(upload_id)
            return True

    def release(self, upload_id: str) -> None:
        with self._lock:
            self._busy.discard(upload_id)

    def file(self, upload_id: str, path: Path, offset: int) -> UploadFile:
        """The file positioned at `offset`, hashed again from disk when it stands elsewhere."""
        with self._lock:
            known = self._known.get(upload_id)
        if known is None or known.offset != offset:
            known = UploadFile(path, offset)
            with self._lock:
                self._known[upload_id] = known
        return known

    def __contains__(self, upload_id: str) -> bool:
        """Whether an upload that was written before is remembered."""
        with self._lock:
            return upload_id in self._known

    def forget(self, upload_id: str) -> None:
        with self._lock:
            self._known.pop(upload_id, None)
