"""The images that clients push: of Debian packages for two platforms, of very many layers, of a very large one."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from lab.client_matrix.debian import HERE, PACKAGES, layers_of
from lab.client_matrix.layout import OCI_LAYER, Layer, Layout

BLOCK = 1 << 20  # bytes of a large layer that are made at a time
_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to ask for gzip's form


def put_debian(layout: Layout, image_tag: str) -> None:
    """An index of two platforms, of packages that are installed here. Raises MissingPackageError."""
    platforms = []
    for architecture, packages in PACKAGES.items():
        layers = [layout.put_layer(tar) for tar in layers_of(packages)]
        config = {"Cmd": ["/usr/bin/busybox", "sh"]} if architecture == HERE else {}
        platforms.append(layout.put_image(architecture, layers, config))
    layout.tag(image_tag, layout.put_index(platforms))


def put_small_layers(layout: Layout, image_tag: str, count: int) -> None:
    """An image of so many layers, each with a file that no other has."""
    layers = [layout.put_layer(_tar_of(f"layers/{number}", str(number).encode())) for number in range(count)]
    layout.tag(image_tag, layout.put_image(HERE, layers))


def put_large_layer(layout: Layout, image_tag: str, size: int) -> None:
    """An image of one layer with a file of so many random bytes, which no client can make any smaller."""
    unpacked, packed = hashlib.sha256(), hashlib.sha256()
    compressor = zlib.compressobj(0, wbits=_GZIP)
    partial = layout.folder / "partial"
    layout.folder.mkdir(parents=True, exist_ok=True)
    with partial.open("wb") as file:
        for block in _large_tar(size):
            unpacked.update(block)
            compressed = compressor.compress(block)
            packed.update(compressed)
            file.write(compressed)
        rest = compressor.flush()
        packed.update(rest)
        file.write(rest)
    written = partial.stat().st_size
    partial.rename(layout.blob_path(packed.hexdigest()))
    descriptor = {"mediaType": OCI_LAYER, "digest": f"sha256:{packed.hexdigest()}", "size": written}
    layer = Layer(descriptor, f"sha256:{unpacked.hexdigest()}")
    layout.tag(image_tag, layout.put_image(HERE, [layer]))


def _large_tar(size: int) -> Iterator[bytes]:
    entry = tarfile.TarInfo("large")
    entry.size = size
    yield entry.tobuf()
    for _ in range(size // BLOCK):
        yield os.urandom(BLOCK)
    yield os.urandom(size % BLOCK)
    padding = -size % tarfile.BLOCKSIZE
    yield bytes(padding + 2 * tarfile.BLOCKSIZE)


def _tar_of(name: str, data: bytes) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))
    return archive.getvalue()


def files_of(layout: Layout, digest: str, into: Path) -> Path:
    """Unpack one platform as an engine does, layer over layer; the folder that it is in."""
    for layer in layout.read_json(digest)["layers"]:
        with tarfile.open(fileobj=io.BytesIO(layout.read(layer["digest"])), mode="r:*") as tar:
            tar.extractall(into, filter="tar")
    return into
