"""`ecr-steward copy` between an ECR, CNCF distribution and a folder, looked at by clients that nobody here wrote."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from lab.client_matrix.layout import Layout
from lab.cncf_distribution import cncf_distribution, docker_config

pytestmark = pytest.mark.client

STEWARD = Path(sys.executable).with_name("ecr-steward")


@pytest.fixture
def registry(local_registry):
    """local_ecr alone."""
    return local_registry


@pytest.fixture
def other(tmp_path: Path, shell) -> Iterator[str]:
    """CNCF distribution, which wants a password that the shell knows; its host."""
    with cncf_distribution(tmp_path / "distribution", wants_password=True) as host:
        logins = json.loads(shell.login_file.read_text())
        logins["auths"] |= json.loads(docker_config(host))["auths"]
        shell.login_file.write_text(json.dumps(logins))
        yield host


@pytest.fixture
def there(other: str, shell, layout: Layout) -> str:
    """A two-platform image at the other registry, by our own copy."""
    shell.run(STEWARD, "copy", f"oci:{layout.folder}:1.0", f"{other}/team/app:1.0")
    return f"{other}/team/app:1.0"


@pytest.fixture(autouse=True)
def skopeo(need_program) -> str:
    return need_program("skopeo", install="apt-get install skopeo")


def raw(shell, reference: str) -> str:
    return shell.run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{reference}").stdout


def test_an_image_is_the_same_to_the_byte_after_a_way_through_all_of_them(
    shell, registry, there: str, layout: Layout, digest: str
) -> None:
    other, folder = there.partition("/")[0], shell.home / "folder"
    registry.create("team/app")

    shell.run(STEWARD, "copy", there, f"{registry.host}/team/app")
    shell.run(STEWARD, "copy", f"{registry.host}/team/app@{digest}", f"{other}/back:2.0")
    shell.run(STEWARD, "copy", f"{other}/back:2.0", f"oci:{folder}:3.0")

    references = [there, f"{registry.host}/team/app:1.0", f"{other}/back:2.0"]
    assert {raw(shell, each) for each in references} == {layout.blob_path(digest.removeprefix("sha256:")).read_text()}
    assert registry.image_digests("team/app") >= {digest}
    shell.run("skopeo", "copy", "--all", f"oci:{folder}:3.0", f"dir:{shell.home}/dir")


def test_signatures_and_sboms_come_along_when_asked_for(need_program, shell, registry, there: str, digest: str) -> None:
    oras = need_program("oras", install="apt-get install oras")
    registry.create("team/app")
    (shell.home / "sbom.json").write_text("{}")
    shell.run(oras, "attach", "--plain-http", "--artifact-type", "application/x.sbom", there, "sbom.json:a/b")

    shell.run(STEWARD, "copy", "--referrers", there, f"{registry.host}/team/app:1.0")

    shown = shell.run(oras, "discover", "--plain-http", "--format", "json", f"{registry.host}/team/app:1.0").stdout
    assert [each["artifactType"] for each in json.loads(shown)["manifests"]] == ["application/x.sbom"]


def test_a_registry_without_referrers_gets_them_by_their_tag(
    need_program, shell, registry, there: str, digest: str
) -> None:
    oras = need_program("oras", install="apt-get install oras")
    registry.create("team/app")
    shell.run(STEWARD, "copy", there, f"{registry.host}/team/app")
    for number in range(2):
        (shell.home / "sbom.json").write_text(f'{{"number": {number}}}')
        shell.run(
            oras,
            "attach",
            "--plain-http",
            "--artifact-type",
            "application/x.sbom",
            f"{registry.host}/team/app:1.0",
            "sbom.json:a/b",
        )

    for _ in range(2):
        shell.run(STEWARD, "copy", "--referrers", f"{registry.host}/team/app:1.0", there)

    for option in ("auto", "v1.1-referrers-tag"):
        versions = [] if option == "auto" else [f"--distribution-spec={option}"]
        shown = shell.run(oras, "discover", "--plain-http", *versions, "--format", "json", there).stdout
        assert [each["artifactType"] for each in json.loads(shown)["manifests"]] == ["application/x.sbom"] * 2


def test_an_image_is_verified_where_it_was_copied_to_when_cosign_signed_it(
    need_program, shell, registry, there: str, digest: str
) -> None:
    cosign = need_program("cosign", install="apt-get install cosign")
    shell.environment |= {"COSIGN_PASSWORD": ""}
    shell.run(cosign, "generate-key-pair", "--output-key-prefix", "key")
    image = f"{there.rpartition(':')[0]}@{digest}"
    shell.run(
        cosign, "sign", "--key=key.key", "--recursive", "--tlog-upload=false", "--yes", "--allow-http-registry", image
    )
    registry.create("team/app")

    shell.run(STEWARD, "copy", "--referrers", there, f"{registry.host}/team/app")

    copied = f"{registry.host}/team/app@{digest}"
    shell.run(cosign, "verify", "--key=key.pub", "--insecure-ignore-tlog", "--allow-http-registry", copied)
    assert len([tag for tag in registry.digests("team/app") if tag.endswith(".sig")]) == 3


def test_one_platform_is_an_image_of_its_own(shell, registry, there: str, layout: Layout) -> None:
    registry.create("team/app")

    done = shell.run(STEWARD, "copy", "--json", "--platform=linux/arm64", there, f"{registry.host}/team/app:arm")

    (image,) = json.loads(done.stdout)["images"]
    assert registry.digests("team/app") == {"arm": image["digest"]}
    config = shell.run(
        "skopeo", "inspect", "--config", "--raw", "--tls-verify=false", f"docker://{registry.host}/team/app:arm"
    )
    assert json.loads(config.stdout)["architecture"] == "arm64"


def test_the_exit_code_says_what_became_of_it(shell, registry, there: str, other: str) -> None:
    registry.create("team/app")
    destination = f"{registry.host}/team/app"
    codes = {
        name: shell.run(STEWARD, "copy", *arguments, check=False).returncode
        for name, arguments in {
            "all tags": ("--all-tags", f"{other}/team/app", destination),
            "again": (there, destination),
            "another": ("--platform=linux/amd64", "--no-clobber", there, destination),
            "missing": (f"{other}/team/app:2.0", destination),
            "no repository": (there, f"{registry.host}/no/such"),
            "no place": ("busybox", destination),
        }.items()
    }

    expected = {"all tags": 0, "again": 0, "another": 3, "missing": 1, "no repository": 1, "no place": 1}
    assert codes == expected


def test_the_registry_is_named_when_it_does_not_know_us(shell, registry, there: str) -> None:
    shell.login_file.write_text("{}")

    done = shell.run(STEWARD, "copy", there, "oci:somewhere:1.0", check=False)

    assert done.returncode == 1
    assert "401" in done.stderr
    assert not (shell.home / "somewhere").exists()


def test_no_tag_shows_what_is_incomplete_when_copies_are_killed(shell, other: str, tmp_path: Path) -> None:
    """A reader looks all the time; runs are killed later and later, until one comes to its end."""
    big = Layout(tmp_path / "big")
    (big.folder / "blobs" / "sha256").mkdir(parents=True)
    layers = [big.put(os.urandom(3 << 20), "application/vnd.oci.image.layer.v1.tar") for _ in range(12)]
    config = big.put(b"{}", "application/vnd.oci.image.config.v1+json")
    kind = "application/vnd.oci.image.manifest.v1+json"
    document = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": layers}
    image = big.put(json.dumps(document).encode(), kind)
    named = image | {"annotations": {"org.opencontainers.image.ref.name": "1.0"}}
    (big.folder / "index.json").write_text(
        json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [named]})
    )
    environment = {**os.environ, **shell.environment, "HOME": str(shell.home)}
    command = [STEWARD, "copy", f"oci:{big.folder}:1.0", f"{other}/killed:1.0"]

    killed, seconds = 0, 0.3
    while True:
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            deadline = time.monotonic() + seconds
            while run.poll() is None and time.monotonic() < deadline:
                _require_whole(other, "killed", "1.0")
            if run.poll() is None:
                run.send_signal(signal.SIGKILL)
                killed += 1
        if run.returncode == 0:
            break
        seconds *= 1.15

    assert killed >= 1
    assert _require_whole(other, "killed", "1.0")


def _require_whole(host: str, repository: str, tag: str) -> bool:
    """Whether the tag is there; then all that it leads to must be, too."""
    login = urllib3.make_headers(basic_auth="ann:s3cret")
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    url = f"http://{host}/v2/{repository}"
    answer = urllib3.request("GET", f"{url}/manifests/{tag}", headers={**login, **accept}, retries=False)
    if answer.status in (404, 500):  # 500 while CNCF distribution writes the tag: some 8 of 1,000 reads beside writes
        return False
    assert answer.status == 200
    document = answer.json()
    for each in [document["config"], *document["layers"]]:
        found = urllib3.request("HEAD", f"{url}/blobs/{each['digest']}", headers=login, retries=False)
        assert (found.status, found.headers["Content-Length"]) == (200, str(each["size"]))
    return True
