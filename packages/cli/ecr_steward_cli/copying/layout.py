"""An OCI image layout, a folder of images, as an ``ImageStore`` (OCI image layout specification 1.1)."""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Lock
from typing import Any, BinaryIO, Self

from ecr_steward.adapters import limits
from ecr_steward.adapters.blobs import Verified
from ecr_steward.adapters.manifests import parse_manifest
from ecr_steward.adapters.strict_json import read_object
from ecr_steward.domain.images import MANIFEST_MEDIA_TYPES, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag, image_tag
from ecr_steward.errors import ImageNotFoundError, InvalidManifestError, RefusedByRegistryError
from ecr_steward.ports.stores import ImageStore

NAME = "org.opencontainers.image.ref.name"
"""The annotation that holds an image's tag."""
INDEX_BYTES = 64 * 1024 * 1024
"""Of a folder's ``index.json``: some hundred thousand images."""
_READABLE = 0o644
_VERSION = '{"imageLayoutVersion":"1.0.0"}'


class LayoutStore:
    """An ``ImageStore`` over a folder, which is made when something is first written.

    A blob appears under its name when it is whole and verified, and an image in ``index.json`` when all of it is there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: tuple[tuple[int, int, int], _Index] | None = None
        self._subjects: dict[Digest, tuple[Descriptor, Digest | None]] = {}
        self._looking = Lock()

    is_believed = True

    def image_tags(self) -> Iterator[ImageTag]:
        for entry in self._index().entries:
            if name := _name(entry):
                yield image_tag(str(name))  # or a name could lead to another repository at the destination

    def digest_of(self, reference: Digest | ImageTag) -> Digest | None:
        if isinstance(reference, Digest):
            return reference if self._path(reference).is_file() else None
        return self._index().by_tag.get(reference)

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        digest = self.digest_of(reference)
        if digest is None:
            raise ImageNotFoundError(f"{self._folder} holds no {reference}")
        with self._open(digest) as stream:
            content = stream.read(limits.MANIFEST_BYTES + 1)
        found = parse_manifest(content, _media_type(content), digest.algorithm)
        if found.digest != digest:
            raise InvalidManifestError(f"{self._path(digest)} does not hold the bytes of {digest}")
        return found

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """Those that ``index.json`` lists: a layout has no list of its own.

        An entry may be anything (OCI image layout specification 1.1, "index.json"); only a manifest can refer.
        """
        with self._looking:  # others would read the same manifests meanwhile
            index = self._index()
            if index.referrers is None:
                found: dict[Digest | None, list[Descriptor]] = {}
                for descriptor, its_subject in map(self._referrer, index.manifests):
                    found.setdefault(its_subject, []).append(descriptor)
                index.referrers = found
            return tuple(index.referrers.get(subject, ()))

    def _referrer(self, digest: Digest) -> tuple[Descriptor, Digest | None]:
        """A manifest, and what it refers to. What a digest says never changes, so each is read once."""
        if digest not in self._subjects:
            found = self.manifest(digest)
            self._subjects[digest] = found.descriptor, found.subject.digest if found.subject else None
        return self._subjects[digest]

    def has_blob(self, digest: Digest) -> bool:
        return self._path(digest).is_file()

    def known_blobs(self, digests: Sequence[Digest]) -> Mapping[Digest, bool]:
        return {}

    @contextmanager
    def read_blob(self, blob: Descriptor) -> Iterator[Iterable[bytes]]:
        with self._open(blob.digest) as stream:
            yield iter(partial(stream.read, limits.BLOB_CHUNK_BYTES), b"")

    def write_blob(
        self, blob: Descriptor, source: ImageStore, read: Callable[[], AbstractContextManager[Iterable[bytes]]]
    ) -> bool:
        with read() as chunks:
            self._write(blob.digest, Verified(chunks, blob))
        return True

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        self._write(manifest.digest, [manifest.content])
        if image_tag is None and manifest.subject is None and not is_top:
            return
        entry: dict[str, Any] = {
            "mediaType": manifest.descriptor.media_type,
            "digest": str(manifest.digest),
            "size": len(manifest.content),
        }
        if image_tag is not None:
            entry["annotations"] = {NAME: image_tag}
        with self._locked():
            self._known = None  # the file of a moment ago may have the same stamp
            kept = [each for each in self._index().entries if not _gives_way(each, entry)]
            document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [*kept, entry]}
            self._replace(self._folder / "index.json", [json.dumps(document, indent=1).encode()])
            self._replace(self._folder / "oci-layout", [_VERSION.encode()])
            self._known = None

    def _path(self, digest: Digest) -> Path:
        return self._folder / "blobs" / digest.algorithm / digest.hex

    @contextmanager
    def _open(self, digest: Digest) -> Iterator[BinaryIO]:
        """Open content that is a file of the layout. A link could lead out of it (CVE-2021-21272)."""
        try:
            descriptor = os.open(self._path(digest), os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as cause:
            raise ImageNotFoundError(f"{self._folder} holds no {digest}: {cause.strerror}") from cause
        with os.fdopen(descriptor, "rb") as stream:
            yield stream

    def _write(self, digest: Digest, chunks: Iterable[bytes]) -> None:
        path = self._path(digest)
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._replace(path, chunks)

    def _replace(self, path: Path, chunks: Iterable[bytes]) -> None:
        """Have a file under its name when all of it is there, also after a crash of this process."""
        stream = NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False)  # noqa: SIM115
        temporary = Path(stream.name)
        try:
            with stream:
                stream.writelines(chunks)
            temporary.chmod(_READABLE)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone with ``index.json``, among threads and among processes."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _index(self) -> "_Index":
        """What ``index.json`` says now. It is parsed again only when the file is another one."""
        path = self._folder / "index.json"
        try:
            status = path.stat()
            stamp = status.st_ino, status.st_mtime_ns, status.st_size
            if self._known is None or self._known[0] != stamp:  # of two threads both may read it
                self._known = stamp, _Index.read(path)
            return self._known[1]
        except FileNotFoundError:
            return _Index(())
        except OSError as cause:
            raise RefusedByRegistryError(f"{path} cannot be read: {cause.strerror}") from cause


class _Index:
    """The entries of ``index.json``."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Raises InvalidNameError, and what wrong types raise."""
        self.entries = entries
        self.referrers: Mapping[Digest | None, Sequence[Descriptor]] | None = None
        """By subject, once they have been looked for."""
        self.by_tag = {name: Digest(entry["digest"]) for entry in entries if (name := _name(entry))}
        """Of several entries with one tag the last one counts."""
        self.manifests = tuple(
            dict.fromkeys(
                Digest(entry["digest"])
                for entry in entries
                if entry.get("mediaType", OCI_MANIFEST) in MANIFEST_MEDIA_TYPES
            )
        )

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file. Raises OSError and RefusedByRegistryError."""
        with path.open("rb") as stream:
            content = stream.read(INDEX_BYTES + 1)
        if len(content) > INDEX_BYTES:
            raise RefusedByRegistryError(f"{path} is over the limit of {INDEX_BYTES} bytes")
        try:
            return cls(read_object(content)["manifests"])
        except (ValueError, KeyError, TypeError, AttributeError) as cause:
            raise RefusedByRegistryError(f"{path} is no index of images: {cause}") from cause


def _name(entry: Mapping[str, Any]) -> Any:
    return (entry.get("annotations") or {}).get(NAME)


def _media_type(content: bytes) -> str | None:
    """Of a manifest that does not say it itself, which is OCI's right; a layout keeps nothing beside it."""
    try:
        document = read_object(content)
    except ValueError:
        return None
    if "mediaType" in document:
        return None
    return OCI_INDEX if "manifests" in document else OCI_MANIFEST


def _gives_way(known: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether an entry of the index makes room for another: it has its tag, or is the same without one."""
    name, wanted = _name(known), _name(entry)
    return bool(name == wanted and (wanted is not None or known["digest"] == entry["digest"]))
