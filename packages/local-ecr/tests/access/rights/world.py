"""A town in which any request may be prepared for, let in, and looked at for what it changed."""

import itertools
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore import xform_name

from local_ecr.control.protocol import service_model
from tests.access.conftest import EVERYTHING, OWNER, VISITOR, Town

APP, BASE = "team/app", "team/base"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
numbers = itertools.count()
"""For names and bytes that nothing has yet."""


@dataclass
class World:
    """The town with an image in two of its repositories; what a row needs besides, it prepares itself."""

    town: Town
    folder: Path
    """Where its state is."""
    tokens: dict[str, str] = field(default_factory=dict)
    manifests: dict[str, str] = field(default_factory=dict)
    """By repository: of the image 1.0, whose layer is `layer`."""
    layer = b"of every image"
    layer_digest = Town.digest_of(layer)

    def root(self, operation: str, **asked: Any) -> Any:
        """Call the API as the owner's root."""
        return getattr(self.town.client(), xform_name(operation))(**asked)

    def call(self, key: str, operation: str, asked: Mapping[str, Any]) -> Any:
        """Call the API as somebody; of the owner's registry."""
        known = service_model().operation_model(operation).input_shape.members
        owner = {"registryId": OWNER} if key == "visitor-ci" and "registryId" in known else {}
        return getattr(self.town.client(key), xform_name(operation))(**asked, **owner)

    def push_blob(self, repository_name: str, data: bytes) -> str:
        """A layer of a repository, which may have it already; its digest."""
        named, digest = {"repositoryName": repository_name}, self.town.digest_of(data)
        upload = {**named, "uploadId": self.root("InitiateLayerUpload", **named)["uploadId"]}
        self.root("UploadLayerPart", **upload, partFirstByte=0, partLastByte=len(data) - 1, layerPartBlob=data)
        with suppress(self.town.client().exceptions.LayerAlreadyExistsException):
            self.root("CompleteLayerUpload", **upload, layerDigests=[digest])
        return digest

    def push_image(self, repository_name: str, image_tag: str) -> str:
        """An image that no repository has yet; its manifest."""
        config = json.dumps({"architecture": "amd64", "os": "linux", "history": next(numbers)}).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST_TYPE,
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": self.push_blob(repository_name, config),
                    "size": len(config),
                },
                "layers": [
                    {
                        "mediaType": "application/vnd.oci.image.layer.v1.tar",
                        "digest": self.push_blob(repository_name, self.layer),
                        "size": len(self.layer),
                    }
                ],
            }
        )
        self.root("PutImage", repositoryName=repository_name, imageManifest=manifest, imageTag=image_tag)
        return manifest

    def let_in(self, key: str, *statements: Mapping[str, Any], repository_name: str = APP) -> None:
        """The owner's role gets an identity policy; the visitor's may everything and the repository says how far."""
        if key == "owner-ci":
            self.town.may(OWNER, *statements)
            return
        self.town.may(VISITOR, EVERYTHING)
        guest = [{"Principal": {"AWS": VISITOR}, **one} for one in statements]
        self.town.repository_may(
            *({name: value for name, value in one.items() if name != "Resource"} for one in guest),
            repository_name=repository_name,
        )

    def state(self) -> tuple[list[str], list[tuple[str, int]]]:
        """Everything that is kept: each row of the database, and each file with its size."""
        with self.town.ecr.store.reading() as connection:
            rows = list(connection.iterdump())
        files = [one for one in self.folder.rglob("*") if one.is_file() and not one.name.startswith("state.sqlite3")]
        return rows, sorted((str(one.relative_to(self.folder)), one.stat().st_size) for one in files)
