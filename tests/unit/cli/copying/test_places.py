"""Where to copy from and to, as people write it."""

from pathlib import Path

import pytest

from ecr_steward.domain.names import Digest, ImageTag, RegistryRef
from ecr_steward_cli.copying.places import FolderPlace, PlaceError, RegistryPlace, read_place

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("localhost:5000/a:1", RegistryPlace("localhost:5000", "a", ImageTag("1"))),
        ("r.example.com/team-a/api", RegistryPlace("r.example.com", "team-a/api")),
        ("docker://r.example.com/a/b:1.0", RegistryPlace("r.example.com", "a/b", ImageTag("1.0"))),
        (f"r.example.com/a/b:1.0@{DIGEST}", RegistryPlace("r.example.com", "a/b", Digest(DIGEST), ImageTag("1.0"))),
        ("[::1]:5000/a:1", RegistryPlace("[::1]:5000", "a", ImageTag("1"))),
        ("docker.io/library/busybox:1", RegistryPlace("registry-1.docker.io", "library/busybox", ImageTag("1"))),
        ("oci:images", FolderPlace(Path("images"))),
        ("oci:/a/b:1.0", FolderPlace(Path("/a/b"), ImageTag("1.0"))),
        (f"oci:/a/b@{DIGEST}", FolderPlace(Path("/a/b"), Digest(DIGEST))),
    ],
)
def test_a_place_is_read(text: str, place: object) -> None:
    assert read_place(text) == place


@pytest.mark.parametrize(
    "text",
    [
        *(
            "busybox",
            "busybox:1",
            "library/busybox",
            "r.example.com/",
            "r.example.com/A:1",
            "r.example.com/a:-",
            "oci:",
        ),
        *("r.example.com/a@sha256:../../etc", "r.example.com/../a", "http://r.example.com/a:1", "r.example.com:x/a"),
        *("user@r.example.com/a", "r.exam ple.com/a", "-r.example.com/a:1", ""),
    ],
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(PlaceError):
        read_place(text)


@pytest.mark.parametrize(
    ("host", "registry"),
    [
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com", RegistryRef("111122223333", "eu-west-1")),
        ("111122223333.dkr.ecr-fips.us-east-1.amazonaws.com", RegistryRef("111122223333", "us-east-1")),
        ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", RegistryRef("111122223333", "cn-north-1")),
        ("111122223333.dkr-ecr.eu-west-1.on.aws", RegistryRef("111122223333", "eu-west-1")),
        ("111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu", RegistryRef("111122223333", "eusc-de-east-1")),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com.attacker.com", None),
        ("111122223333.dkr.ecr.eu-west-1.attacker.com", None),
        ("x111122223333.dkr.ecr.eu-west-1.amazonaws.com", None),
        ("attacker.com:443", None),
        ("111122223333.dkr.ecr.eu-west-1.amazonaws.com:443", None),
    ],
)
def test_sagemaker_python_sdk_6133_only_a_whole_address_of_ecr_is_one(host: str, registry: RegistryRef | None) -> None:
    assert RegistryPlace(host, "a").registry == registry
