"""An ECR to talk to, and what programs are run with: away from the settings of whoever runs the tests."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

ACCOUNT = "111122223333"
REGIONS = ("us-east-1", "eu-west-1")
NOWHERE = "http://127.0.0.1:1"
"""A proxy that nobody is: what goes by it fails at once, and never gets to AWS."""
TIMEOUT = 60  # seconds for any one command


def client_at(endpoint_url: str, region: str = REGIONS[0], *, ca_file: Path | None = None) -> Any:
    """A boto3 client of the account's root, which trusts this authority."""
    return boto3.client(
        "ecr",
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="not-verified",
        verify=str(ca_file) if ca_file else None,
    )


@dataclass(frozen=True)
class Registry:
    """An ECR to talk to: its API, and the /v2/ API of every region."""

    endpoint_url: str
    urls: dict[str, str]

    @property
    def hosts(self) -> dict[str, str]:
        """What an image's name begins with, per region."""
        return {region: url.removeprefix("http://") for region, url in self.urls.items()}

    @property
    def host(self) -> str:
        return self.hosts[REGIONS[0]]

    def client(self, region: str = REGIONS[0]) -> Any:
        return client_at(self.endpoint_url, region)

    def create(self, *repository_names: str, **settings: Any) -> None:
        """Make repositories in the first region."""
        for name in repository_names:
            self.client().create_repository(repositoryName=name, **settings)

    def token(self, region: str = REGIONS[0]) -> str:
        data = self.client(region).get_authorization_token()["authorizationData"]
        token: str = data[0]["authorizationToken"]
        return token

    def password(self) -> str:
        """What a login asks for."""
        return base64.b64decode(self.token()).decode().removeprefix("AWS:")

    def digests(self, repository_name: str, region: str = REGIONS[0]) -> dict[str, str]:
        """The digest that each tag of a repository means."""
        pages = self.client(region).get_paginator("list_images").paginate(repositoryName=repository_name)
        return {one["imageTag"]: one["imageDigest"] for page in pages for one in page["imageIds"] if "imageTag" in one}

    def image_digests(self, repository_name: str, region: str = REGIONS[0]) -> set[str]:
        """Every image of a repository, tagged or not."""
        pages = self.client(region).get_paginator("describe_images").paginate(repositoryName=repository_name)
        return {one["imageDigest"] for page in pages for one in page["imageDetails"]}

    def put_empty_image(self, repository_name: str, image_tag: str) -> str:
        """Push an image of no layers by the API alone; its digest."""
        client = self.client()
        upload = client.initiate_layer_upload(repositoryName=repository_name)["uploadId"]
        client.upload_layer_part(
            repositoryName=repository_name, uploadId=upload, partFirstByte=0, partLastByte=1, layerPartBlob=b"{}"
        )
        digest = client.complete_layer_upload(
            repositoryName=repository_name,
            uploadId=upload,
            layerDigests=["sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"],
        )["layerDigest"]
        media_type = "application/vnd.oci.image.manifest.v1+json"
        config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": 2}
        manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []}
        answer = client.put_image(
            repositoryName=repository_name, imageTag=image_tag, imageManifest=json.dumps(manifest)
        )
        found: str = answer["image"]["imageId"]["imageDigest"]
        return found


@dataclass(frozen=True)
class Refusal:
    """A push that ECR refuses, and what it says then."""

    reference: str
    """Repository and tag, without the host."""
    says: str


@dataclass
class Shell:
    """Runs one program at a time."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, *command: str | Path, check: bool = True, stdin: str = "", timeout: float = TIMEOUT
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(part) for part in command],
            input=stdin,
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **self.environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{command} failed:\n{done.stdout}{done.stderr}"
        return done

    def refuse(self, *command: str | Path, stdin: str = "") -> str:
        """Run what must fail, and return what it says then."""
        done = self.run(*command, check=False, stdin=stdin)
        assert done.returncode != 0, f"{command} was not refused:\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def log_in(self, auths: dict[str, str]) -> None:
        """Be logged in to these hosts with these tokens, and to no other."""
        logins = {host: {"auth": token} for host, token in auths.items()}
        self.login_file.write_text(json.dumps({"auths": logins}), encoding="utf-8")

    def log_out(self) -> None:
        self.login_file.unlink()

    @property
    def login_file(self) -> Path:
        return self.home / "config.json"
