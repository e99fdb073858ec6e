"""Who may speak to the data plane: tokens and host names."""

import base64
from datetime import timedelta

import pytest


def basic(username, password):
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def test_a_token_is_good_for_twelve_hours_and_not_longer(stand, ecr, team_app):
    data = ecr.get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == team_app.url
    assert abs(data["expiresAt"] - stand.clock() - timedelta(hours=12)) < timedelta(seconds=10)

    stand.clock.ahead = timedelta(hours=11, minutes=59)
    assert team_app.send("GET", "/v2/").status == 200
    stand.clock.ahead = timedelta(hours=12, seconds=1)
    for method, body in (("GET", True), ("HEAD", False)):
        answer = team_app.send(method, "/v2/")
        assert answer.status == 403
        assert bool(answer.data) == body
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    [error] = team_app.send("GET", "tags/list").json()["errors"]
    assert error == {
        "code": "DENIED",
        "message": "Your authorization token has expired. Reauthenticate and try again.",
    }


def test_a_request_is_unauthorized_when_its_password_is_not_ours(stand, team_app):
    good = base64.b64decode(team_app.token).decode().removeprefix("AWS:")
    payload, _, signature = good.partition(".")
    wrong = [
        "",
        "not base64!",
        basic("AWS", ""),
        basic("AWS", "hunter2"),
        basic("root", good),
        basic("AWS", payload + "."),
        basic("AWS", payload + "." + signature[:-1]),
        basic("AWS", payload + "." + "0" * 64),
        basic("AWS", payload[:-2] + "." + signature),
        basic("AWS", "é" * 10),
        stand.token("eu-west-1"),
        base64.b64encode(f"AWS:{stand.ecr.signer.page_token(1)}".encode()).decode(),
    ]
    for token in wrong:
        for path in ("/v2/", "tags/list", "/v2/nothing-here"):
            answer = team_app.send("GET", path, token=token)
            assert answer.status == 401, token
            assert answer.headers["Www-Authenticate"] == f'Basic realm="{team_app.url}/",service="ecr.amazonaws.com"'
    assert team_app.send("PUT", "manifests/1.0", token="", body=b"{}").status == 401


def test_a_token_is_still_good_when_the_server_was_started_again_on_its_folder(make_stand, tmp_path):
    first = make_stand(tmp_path / "kept")
    first.client().create_repository(repositoryName="team/app")
    token = first.token()
    first.server.stop()
    second = make_stand(tmp_path / "kept")
    assert second.distribution().send("GET", "tags/list", token=token).json() == {"name": "team/app", "tags": []}


def test_a_token_of_one_account_is_no_good_when_the_folder_is_another(make_stand, tmp_path):
    token = make_stand(tmp_path / "one").token()
    other = make_stand(tmp_path / "two")
    assert other.distribution().send("GET", "/v2/", token=token).status == 401


@pytest.mark.parametrize(("of", "at"), [("us-east-1", "eu-west-1"), ("eu-west-1", "us-east-1")])
def test_a_token_of_one_region_is_no_good_in_another(stand, of, at):
    token = stand.distribution(of).token
    assert stand.distribution(of).send("GET", "/v2/", token=token).status == 200
    assert stand.distribution(at).send("GET", "/v2/", token=token).status == 401


@pytest.mark.parametrize("suffix", ["localhost:80", "amazonaws.com", "localhost"])
def test_the_host_name_says_which_registry_is_meant(stand, team_app, suffix):
    team_app.push_image("one", "1.0")
    ireland = stand.distribution("eu-west-1")
    host = {"Host": f"111122223333.dkr.ecr.us-east-1.{suffix}"}
    assert ireland.send("GET", "tags/list", headers=host).status == 401, "a token of another region opened it"
    assert ireland.send("GET", "tags/list", headers=host, token=team_app.token).json()["tags"] == ["1.0"]


def test_the_endpoint_serves_the_registry_of_the_token_when_nothing_else_names_one(stand, team_app):
    team_app.push_image("one", "1.0")
    team_app.url = stand.server.endpoint_url
    assert team_app.send("GET", "tags/list").json()["tags"] == ["1.0"]
    assert team_app.send("GET", "/v2/", token="").status == 401


def test_no_secret_is_written_to_a_log_or_an_event_GHSA_c37v_3c8w_crq8(stand, ecr, team_app, caplog):
    caplog.set_level("DEBUG")
    team_app.push_image("one", "1.0")
    team_app.send("GET", "tags/list", token=basic("AWS", "canary-password"))
    team_app.send("GET", "/v2/_signed/canary-signature")
    ours = [record.getMessage() for record in caplog.records if record.name.startswith(("local_ecr", "uvicorn"))]
    written = f"{ours} {stand.events} {stand.ecr.requests.entries()}"
    password = base64.b64decode(team_app.token).decode().removeprefix("AWS:")
    for secret in (team_app.token, password, "canary-password", "canary-signature", "not-verified"):
        assert secret not in written
