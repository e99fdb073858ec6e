"""The config of an image: what it says of itself when somebody looks before they run it."""

from collections.abc import Mapping

from ecr_steward.adapters.strict_json import misspelt, read_object, texts
from ecr_steward.domain.names import Digest
from ecr_steward.errors import InvalidImageConfigError


def parse_labels(content: bytes, digest: Digest) -> Mapping[str, str]:
    """Read the labels from the bytes of an image config. Raises InvalidImageConfigError where no two readers agree."""
    try:
        document = read_object(content)
        inner = document.get("config") or {}
        if not isinstance(inner, dict):
            raise ValueError(f"its `config` is a {type(inner).__name__}")
        if wrong := misspelt(document, "config") or misspelt(inner, "Labels"):
            raise ValueError(f"it has {wrong!r}, which only some clients read")
        return texts(inner.get("Labels"))
    except ValueError as cause:
        raise InvalidImageConfigError(f"the image config {digest} cannot be read: {cause}") from cause
