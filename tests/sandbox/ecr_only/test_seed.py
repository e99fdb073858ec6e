"""Images from a folder, pushed by one command."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from ecr_steward_sandbox.demo.layout import write_layout
from ecr_steward_sandbox.ecr_only import EcrOnly
from ecr_steward_sandbox.seed import SeedError, seed

ACCOUNT = "111122223333"

type Run = Callable[..., subprocess.CompletedProcess[str]]


def test_an_image_is_there_with_all_its_platforms_when_it_was_seeded(ecr: EcrOnly, run: Run, tmp_path: Path) -> None:
    layout = write_layout(tmp_path / "layout")

    done = run("seed", tmp_path / "layout", "team-a/api:1.0.0")

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(layout.digest)
    assert "created repository team-a/api" in done.stderr
    assert "3 manifests and 5 new blobs" in done.stderr
    keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "any", "region_name": "us-east-1"}
    found = boto3.client("ecr", endpoint_url=ecr.endpoint_url, **keys).describe_images(repositoryName="team-a/api")
    tagged = [image for image in found["imageDetails"] if image.get("imageTags") == ["1.0.0"]]
    assert [image["imageDigest"] for image in tagged] == [str(layout.digest)]
    assert len(found["imageDetails"]) == 3


@pytest.mark.slow
def test_nothing_is_pushed_again_when_an_image_is_seeded_twice(run: Run, tmp_path: Path) -> None:
    write_layout(tmp_path / "layout")
    run("seed", tmp_path / "layout", "team-a/api:1.0.0")

    again = run("seed", tmp_path / "layout", "team-a/api:1.0.1")

    assert again.returncode == 0, again.stderr
    assert "0 new blobs" in again.stderr
    assert "created" not in again.stderr
    assert "AlreadyExists" not in run("events").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "image", "why"),
    [
        ("nowhere", "team-a/api:1.0.0", "is no folder with an OCI image layout"),
        ("layout", "team-a/api", "write REPOSITORY:TAG, such as team-a/api:1.0.0"),
        ("layout", "127.0.0.1:5000/team-a/api", "write REPOSITORY:TAG, such as team-a/api:1.0.0"),
        ("layout", "team-a/api:", "write REPOSITORY:TAG, such as team-a/api:1.0.0"),
        ("layout", "team-a/api:-1", "'-1' is no image tag: at most 300 letters"),
        ("two", "team-a/api:1.0.0", "two holds 2 images: copy the one that is meant to a folder alone"),
        ("layout", "Team/api:1.0.0", "must satisfy regular expression"),
        ("torn", "team-a/api:1.0.0", "No such file or directory"),
    ],
)
def test_seeding_says_what_is_wrong_when_it_cannot(run: Run, tmp_path: Path, layout: str, image: str, why: str) -> None:
    write_layout(tmp_path / "layout")
    blobs = write_layout(tmp_path / "torn").root / "blobs" / "sha256"
    max(blobs.iterdir(), key=lambda path: path.stat().st_size).unlink()
    index = write_layout(tmp_path / "two").root / "index.json"
    told = json.loads(index.read_text())
    index.write_text(json.dumps({**told, "manifests": told["manifests"] * 2}))

    done = run("seed", layout, image)

    assert done.returncode == 1
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    assert "CreateRepository team-a" not in run("events").stdout


def test_nothing_is_seeded_when_no_port_of_ours_is_the_registrys(
    ecr: EcrOnly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_layout(tmp_path / "layout")
    keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "ap-south-1"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SeedError, match="the registry of 111122223333 in ap-south-1 has no port here: take another"):
        seed(tmp_path / "layout", "team-a/api", "1.0.0", ecr.endpoint_url, print)

    assert not ecr.ledger.events
