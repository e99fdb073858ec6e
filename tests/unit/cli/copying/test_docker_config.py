"""Logins where Docker, podman and skopeo keep them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.adapters.token_servers import IdentityToken, Password
from ecr_steward_cli.copying.docker_config import DockerConfigError, login_for

HOST = "registry.example.com:5000"


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "PATH": str(tmp_path)}


def keep(environment: dict[str, str], document: Any, path: str = ".docker/config.json") -> None:
    file = Path(environment["HOME"]) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(document if isinstance(document, str) else json.dumps(document))


def helper(environment: dict[str, str], script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(environment["HOME"]) / "docker-credential-safe"
    program.write_text(f"#!/bin/sh\n{script}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", environment["HOME"], prepend=":")


def test_there_is_none_when_nothing_is_kept(environment: dict[str, str]) -> None:
    assert login_for(HOST, environment) is None


@pytest.mark.parametrize("name", [HOST, f"https://{HOST}"])
def test_a_login_is_found_by_host_and_port(name: str, environment: dict[str, str]) -> None:
    keep(environment, {"auths": {"other": auth("x:y"), name: auth("ann:a:b")}})

    assert login_for(HOST, environment) == Password("ann", "a:b")
    assert login_for("registry.example.com", environment) is None


def test_podmans_file_comes_first(environment: dict[str, str]) -> None:
    keep(environment, {"auths": {HOST: auth("docker:x")}})
    keep(environment, {"auths": {HOST: auth("podman:y")}}, "run/containers/auth.json")

    found = login_for(HOST, {**environment, "XDG_RUNTIME_DIR": f"{environment['HOME']}/run"})

    assert found == Password("podman", "y")


def test_docker_hub_has_its_old_name(environment: dict[str, str]) -> None:
    keep(environment, {"auths": {"https://index.docker.io/v1/": auth("ann:x")}})

    assert login_for("registry-1.docker.io", environment) == Password("ann", "x")


@pytest.mark.parametrize("document", [{"credsStore": "safe"}, {"credHelpers": {HOST: "safe"}, "credsStore": "lost"}])
def test_a_helper_is_asked_for_the_host(
    document: Any, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = f'read name; [ "$name" = {HOST} ] && [ "$1" = get ] && echo \'{{"Username": "ann", "Secret": "x"}}\''
    helper(environment, script, monkeypatch)
    keep(environment, document)

    assert login_for(HOST, environment) == Password("ann", "x")


def test_an_identity_token_comes_before_the_user_without_a_password_beside_it(environment: dict[str, str]) -> None:
    keep(environment, {"auths": {HOST: {**auth("00000000-0000-0000-0000-000000000000:"), "identitytoken": "eyJ"}}})

    assert login_for(HOST, environment) == IdentityToken("eyJ")


def test_a_helper_gives_an_identity_token_when_the_user_says_that_it_is_one(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(environment, 'echo \'{"Username": "<token>", "Secret": "eyJ"}\'', monkeypatch)
    keep(environment, {"credsStore": "safe"})

    assert login_for(HOST, environment) == IdentityToken("eyJ")


def test_there_is_none_when_the_helper_knows_of_none(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(environment, "echo credentials not found in native keychain; exit 1", monkeypatch)
    keep(environment, {"credsStore": "safe"})

    assert login_for(HOST, environment) is None


@pytest.mark.parametrize(
    ("document", "why"),
    [
        ("{", "cannot be read"),
        ("[]", "is no JSON object"),
        ({"auths": {HOST: {"auth": "???"}}}, "is no user and password"),
        ({"auths": {HOST: auth("no colon")}}, "is no user and password"),
        ({"credsStore": "desktop.exe"}, "docker-credential-desktop.exe cannot be asked"),
        ({"credsStore": "../../bin/sh"}, "is no name of a credential helper"),
        ({"credsStore": "lost"}, "cannot be asked"),
    ],
)
def test_what_is_wrong_is_told(document: Any, why: str, environment: dict[str, str]) -> None:
    keep(environment, document)

    with pytest.raises(DockerConfigError, match=why):
        login_for(HOST, environment)
