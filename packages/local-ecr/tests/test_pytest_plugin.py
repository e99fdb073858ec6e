"""The fixtures for other projects, used as another project would: in a folder that knows nothing of this one."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

CONFTEST = 'pytest_plugins = ["local_ecr.pytest_plugin"]\n'


def run(folder: Path, tests: str, conftest: str = CONFTEST) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(textwrap.dedent(conftest))
    (folder / "test_theirs.py").write_text(textwrap.dedent(tests))
    command = [
        sys.executable,
        "-W",
        "error",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        folder,
        folder,
    ]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60, check=False)


@pytest.mark.slow
def test_another_project_has_a_registry_of_its_own_in_each_test(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        from datetime import timedelta

        import boto3
        import pytest
        import urllib3
        from botocore.exceptions import ClientError

        def test_one(local_ecr, monkeypatch):
            for name, value in local_ecr.environment.items():
                monkeypatch.setenv(name, value)
            boto3.client("ecr").create_repository(repositoryName="team/app")
            assert [event["detail"]["eventName"] for event in local_ecr.events] == ["CreateRepository"]

        def test_two(local_ecr):
            assert local_ecr.client().describe_repositories()["repositories"] == []

        def test_a_token_dies(local_ecr):
            headers = {"Authorization": f"Basic {local_ecr.token()}"}
            ping = lambda: urllib3.request("GET", f"{local_ecr.registry_url()}/v2/", headers=headers).status
            assert ping() == 200
            local_ecr.move_clock(timedelta(hours=13))
            assert ping() == 403

        def test_accounts_are_apart(local_ecr):
            local_ecr.client(account="999988887777").create_repository(repositoryName="theirs")
            assert local_ecr.client().describe_repositories()["repositories"] == []
            with pytest.raises(ClientError, match="AccessDenied"):
                local_ecr.client().list_images(registryId="999988887777", repositoryName="theirs")
        """,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.slow
def test_another_project_can_ask_for_options_of_its_own(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        def test_a_third_region(local_ecr):
            assert local_ecr.registry_host("ap-south-1", "999988887777").startswith("127.0.0.1:")
            assert not local_ecr.ecr.quirks.blob_redirect
            assert local_ecr.ecr.scans_end_after.total_seconds() == 0.5
        """,
        CONFTEST
        + """
import pytest

@pytest.fixture(scope="session")
def local_ecr_options():
    return {"quirks": "none", "registries": [("999988887777", "ap-south-1")], "scans_end_after": 0.5}
""",
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_another_project_can_be_refused_as_a_user_and_hear_why(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import pytest
        import urllib3
        from botocore.exceptions import ClientError

        def test_jo_only_pulls(local_ecr):
            jo = local_ecr.client(access_key="AKIAJO")
            with pytest.raises(ClientError, match="user/jo is not authorized") as refused:
                jo.create_repository(repositoryName="team/app")
            why = local_ecr.why(refused.value.response["ResponseMetadata"]["RequestId"])
            assert "identity policy AmazonEC2ContainerRegistryPullOnly" in why

        def test_a_client_logs_in_as_jo(local_ecr):
            headers = urllib3.make_headers(basic_auth=f"AWS:{local_ecr.password(access_key='AKIAJO')}")
            assert urllib3.request("GET", f"{local_ecr.registry_url()}/v2/", headers=headers).status == 200
            [decision] = local_ecr.ecr.decisions.entries()
            assert decision.principal == "arn:aws:iam::111122223333:user/jo"

        def test_a_failing_test_is_not_told_every_event(local_ecr):
            local_ecr.client().create_repository(repositoryName="team/app")
            assert repr(local_ecr) == f"<local ECR at {local_ecr.endpoint_url}, events: 1>"
        """,
        CONFTEST
        + """
import pytest

@pytest.fixture(scope="session")
def local_ecr_options():
    jo = {"policies": ["AmazonEC2ContainerRegistryPullOnly"], "access_keys": ["AKIAJO"]}
    return {"identities": {"accounts": {"111122223333": {"users": {"jo": jo}}}}}
""",
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_another_project_can_have_tls(tmp_path: Path) -> None:
    done = run(
        tmp_path,
        """
        import boto3
        import urllib3

        def test_tls(local_ecr, monkeypatch):
            for name, value in local_ecr.environment.items():
                monkeypatch.setenv(name, value)
            assert local_ecr.client().describe_repositories() and boto3.client("ecr").describe_repositories()
            with urllib3.ProxyManager(local_ecr.proxy_url, ca_certs=str(local_ecr.ca_file)) as by_proxy:
                aws = "https://111122223333.dkr.ecr.us-east-1.amazonaws.com/v2/"
                assert by_proxy.request("GET", aws).status == 401
        """,
        CONFTEST
        + """
import pytest

@pytest.fixture(scope="session")
def local_ecr_options():
    return {"tls": True}
""",
    )

    assert done.returncode == 0, done.stdout + done.stderr
