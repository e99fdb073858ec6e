"""Advisories and threads about registries and copiers that the thirty attacks do not stand for; the ids are theirs."""

import gzip
import io
import json
import os
import re
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecr_steward_cli.copying.docker_config import DockerConfigError, login_for
from ecr_steward_cli.copying.places import PlaceError, RegistryPlace, read_place
from lab.hostile.attack import SOURCE, TAG, Asked, Attack
from lab.hostile.clients import OURS
from lab.hostile.content import CONFIG, OCI_LAYER, OCI_MANIFEST, Content, layer, manifest
from lab.hostile.judging import attacked
from lab.hostile.registry import Registry
from lab.hostile.serving import Exchange
from lab.hostile.stage import stage

pytestmark = pytest.mark.slow

MIB = 1 << 20
ECR = "111122223333.dkr.ecr.us-east-1.amazonaws.com"


class RealmIsTheMetadataService(Attack):
    """Docker Model Runner, CVE-2026-33990, #1038."""

    number, name = 101, "CVE-2026-33990, GHSA-x2f5-332j-9xwq"
    is_closed = True
    said = "wants the password for it to be sent to http://169.254.169.254/latest"

    def realm(self) -> str:
        return "http://169.254.169.254/latest/meta-data/iam/security-credentials"


class StoreAsksForTheLogin(Attack):
    """Where a blob is stored may ask for a login, but for one of its own."""

    number, name = 102, "go-containerregistry#2349, #2333 and #2359"
    said = "401"

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_layer(exchange):
            return False
        exchange.send(307, b"", {"Location": f"{self.witness.url}/private{exchange.place}"})
        return True


class BombInARedirect(Attack):
    """urllib3 inflated the body of a redirect that it followed."""

    number, name = 103, "CVE-2026-21441"
    may_succeed = True

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_layer(exchange) or "again" in exchange.parameters:
            return False
        bomb = gzip.compress(b" " * MIB) * 512
        exchange.send(307, bomb, {"Location": f"{exchange.place}?again=1", "Content-Encoding": "gzip"})
        return True


class LargeAttestation(Attack):
    """cosign read what is attached to an image into memory, however large it was."""

    number, name = 104, "CVE-2024-29903, GHSA-95pr-fxf5-86gv"
    asked = Asked.REFERRERS
    said = "the manifest sha256-[0-9a-f]{64}.att is over the limit|is over the limit"

    def answer(self, exchange: Exchange) -> bool:
        if not re.search(r"/manifests/sha256-[0-9a-f]{64}\.att$", exchange.place):
            return False
        exchange.chunked([b" " * MIB] * 256, {"Content-Type": OCI_MANIFEST})
        return True


class EndlessAttestations(Attack):
    """cosign asked for one page of attestations after the other."""

    number, name = 105, "CVE-2023-46737, GHSA-vfp6-jrw2-99g9, CVE-2024-29902"
    asked = Asked.REFERRERS
    said = "come in pages without end"

    def answer(self, exchange: Exchange) -> bool:
        if "/referrers/" not in exchange.place:
            return False
        page = int(exchange.parameters.get("page", "0")) + 1
        link = {"Link": f'<{exchange.place}?page={page}>; rel="next"', "Content-Type": "application/json"}
        exchange.say(200, {"schemaVersion": 2, "manifests": []}, link)
        return True


class SaysThatItIsEcr(Attack):
    """Who asks a registry whether it is ECR gives ECR's login to whoever says so."""

    number, name = 106, "amazon-ecr-credential-helper#836, CVE-2024-35192, GHSA-xcq4-m2r3-cmrj"
    is_closed = True
    said = "not allowed"

    def environment(self) -> Mapping[str, str]:
        aws = {"AWS_ACCESS_KEY_ID": "111122223333", "AWS_SECRET_ACCESS_KEY": "pa55-canary", "AWS_REGION": "us-east-1"}
        return {**aws, "AWS_ENDPOINT_URL": self.witness.url}

    def before_login(self, exchange: Exchange) -> bool:
        asked = {"WWW-Authenticate": f'Basic realm="https://{ECR}/",service="ecr.amazonaws.com"'}
        exchange.refuse(401, "UNAUTHORIZED", asked)
        return True


class Proxy(Attack):
    """urllib3 let credentials follow a redirect by way of a proxy."""

    number, name = 107, "CVE-2026-44431, GHSA-qccp-gfcp-xxvc"
    may_succeed = True
    is_closed = True

    def environment(self) -> Mapping[str, str]:
        return dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY"), self.witness.url)


class MovingTag(Attack):
    """kyverno verified what a first request found, and used what a second one did."""

    number, name = 108, "CVE-2022-47633, GHSA-m3cq-xcx9-3gvm, CVE-2023-47630, GHSA-3hfq-cx9j-923w"
    may_succeed = True

    def fill(self, registry: Registry) -> None:
        super().fill(registry)
        registry.hold(SOURCE, layer(2))

    def answer(self, exchange: Exchange) -> bool:
        if not self.is_manifest(exchange, TAG):
            return False
        other = manifest([layer(2).descriptor], annotations={"of": "another"})
        found = self.registry.manifests[SOURCE, TAG]
        self.registry.put(SOURCE, other, TAG)
        exchange.send(200, found.content, {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest})
        return True


ATTACKS = (
    RealmIsTheMetadataService,
    StoreAsksForTheLogin,
    BombInARedirect,
    LargeAttestation,
    EndlessAttestations,
    SaysThatItIsEcr,
    Proxy,
    MovingTag,
)


@pytest.mark.parametrize(
    "attack",
    [pytest.param(attack, id=attack.name) for attack in ATTACKS],
)
def test_the_copier_stands(attack: type[Attack], idle: int) -> None:
    outcome = attacked(OURS, attack, idle)

    (met,) = outcome.met
    assert outcome.fall is None
    if attack.said:
        assert (met.ran.status, met.tags) == (1, ())
        assert re.search(attack.said, met.ran.errors)
    else:
        assert (met.ran.status, met.tags) == (0, (TAG,))


def copied(*arguments: str | Path, environment: Mapping[str, str] = os.environ) -> subprocess.CompletedProcess[str]:
    """`ecr-steward copy` of these."""
    command = [OURS.program, "copy", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


class PathsInDigests(Attack):
    number, name = 109, "paths"

    def image(self, reference: str) -> Content:
        return manifest([self.layer.descriptor | {"digest": "sha256:../../../escaped"}])


@pytest.mark.parametrize("advisory", ["CVE-2014-9358, GHSA-qmmc-jppf-32wv", "CVE-2026-7020, GHSA-x99g-8v8j-25j2"])
def test_nothing_is_written_beside_the_folder_when_a_digest_is_a_path(advisory: str, tmp_path: Path) -> None:
    home, folder = tmp_path / "home", tmp_path / "here" / "folder"
    home.mkdir()

    with stage(PathsInDigests, home) as set_up:
        done = copied(f"{set_up.source}/{SOURCE}:{TAG}", f"oci:{folder}:1", environment=set_up.environment)

    assert (done.returncode, "points to" in done.stderr) == (1, True)
    assert not (tmp_path / "here").exists()


def layout(folder: Path, image: Content, *blobs: Content) -> Path:
    """An OCI image layout that holds this as ``1``."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    for each in (image, CONFIG, *blobs):
        blob_file(folder, each).write_bytes(each.content)
    entry: dict[str, Any] = image.descriptor | {"annotations": {"org.opencontainers.image.ref.name": "1"}}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return folder


def blob_file(folder: Path, content: Content) -> Path:
    return folder / "blobs" / "sha256" / content.digest.removeprefix("sha256:")


def test_no_secret_is_copied_when_a_blob_is_a_hard_link_to_it_CVE_2026_50163(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"s" * 1000)
    claimed = layer(1, 1000)
    folder = layout(tmp_path / "from", manifest([claimed.descriptor]))
    blob_file(folder, claimed).hardlink_to(secret)

    done = copied(f"oci:{folder}:1", f"oci:{tmp_path / 'to'}:1")

    assert (done.returncode, "have the hash" in done.stderr) == (1, True)
    assert not [path for path in (tmp_path / "to").rglob("*") if path.is_file() and b"sss" in path.read_bytes()]


@pytest.mark.parametrize("advisory", ["CVE-2020-10696", "GHSA-8xwf-rjm4-xvhv", "GHSA-g5v4-5x39-vwhx"])
def test_nothing_is_unpacked_when_a_layer_leads_out_of_its_folder(advisory: str, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../../escaped"))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    nasty = Content(OCI_LAYER, packed.getvalue())
    image = manifest([nasty.descriptor])
    folder = layout(tmp_path / "from", image, nasty)

    done = copied(f"oci:{folder}:1", f"oci:{tmp_path / 'to'}:1")

    assert done.returncode == 0
    held = {path.name for path in (tmp_path / "to" / "blobs").rglob("*") if path.is_file()}
    assert held == {each.digest.removeprefix("sha256:") for each in (nasty, image, CONFIG)}
    assert {path.name for path in tmp_path.iterdir()} == {"from", "to"}


def test_no_more_than_a_manifest_is_read_when_a_file_of_a_layout_is_huge_GHSA_259w_8hf6_59c2(tmp_path: Path) -> None:
    image = manifest([])
    folder = layout(tmp_path / "from", image)
    with blob_file(folder, image).open("r+b") as file:
        file.truncate(64 << 30)  # without a byte of it on the disk

    done = copied(f"oci:{folder}:1", f"oci:{tmp_path / 'to'}:1")

    assert (done.returncode, "over the limit" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("registry.example.com", id="CVE-2024-35192, GHSA-xcq4-m2r3-cmrj"),
        pytest.param(f"{ECR}.evil.example", id="CVE-2025-27403, GHSA-44f7-5fj5-h4px"),
        pytest.param(f"evil-{ECR}", id="GO-2026-6225, kyverno#17266, buildpacks/lifecycle#1712"),
        pytest.param("evil.example", id="amazon-ecr-containerd-resolver#150"),
    ],
)
def test_no_login_to_ecr_is_for_a_host_that_is_not_wholly_one_of_ecrs(host: str) -> None:
    assert RegistryPlace(host, "a").registry is None


@pytest.mark.parametrize("text", [f"{ECR}@evil.example/a:1", f"{ECR}:443@evil.example/a:1", f"evil.example#{ECR}/a:1"])
def test_an_address_that_two_readers_split_differently_is_refused_GO_2026_6225(text: str) -> None:
    with pytest.raises(PlaceError):
        read_place(text)


@pytest.mark.parametrize(
    "kept",
    ["https://r.example.com/v2/", "r.example.com", "r.example.com:443", "https://r.example", "r.example.com.evil:5000"],
)
def test_a_login_is_for_the_whole_host_and_port_alone_connaisseur_2166(kept: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {kept: {"auth": "YW5uOng="}}}))

    assert login_for("r.example.com:5000", {"DOCKER_CONFIG": str(tmp_path)}) is None


def test_no_other_login_is_taken_when_the_helper_is_missing_CVE_2021_41092(tmp_path: Path) -> None:
    kept = {"https://index.docker.io/v1/": {"auth": "YW5uOng="}}
    (tmp_path / "config.json").write_text(
        json.dumps({"auths": kept, "credHelpers": {"r.example.com": "no-such-program"}})
    )

    with pytest.raises(DockerConfigError, match="no-such-program"):
        login_for("r.example.com", {"DOCKER_CONFIG": str(tmp_path)})
    assert login_for("other.example.com", {"DOCKER_CONFIG": str(tmp_path)}) is None
