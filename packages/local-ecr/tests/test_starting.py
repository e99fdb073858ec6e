"""`local-ecr`: what it says when it starts, and when it cannot."""

import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path

import boto3
import pytest

from local_ecr import LocalEcr
from local_ecr.__main__ import main
from local_ecr.state.schema import VERSION


@contextmanager
def running(folder, *options):
    command = [sys.executable, "-m", "local_ecr", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.slow
def test_what_it_says_to_export_leads_the_aws_sdk_to_it(tmp_path, monkeypatch):
    with running(tmp_path, "--registry", "444455556666/eu-central-1") as process:
        lines = [process.stdout.readline() for _ in range(11)]
        registry = lines[1].rpartition("://")[2].strip()
        told = "".join(lines)
        for line in told.splitlines():
            if line.startswith("  export "):
                for setting in line.split()[1:]:
                    monkeypatch.setenv(*setting.split("="))

        created = boto3.client("ecr").create_repository(repositoryName="team/app")

    assert created["repository"]["repositoryArn"] == "arn:aws:ecr:eu-central-1:444455556666:repository/team/app"
    assert f"docker login --username AWS --password-stdin {registry}\n" in told


def test_it_says_its_version_and_its_name(capsys):
    for option, told in (("--version", f"local-ecr {version('local-ecr')}\n"), ("--help", "usage: local-ecr [-h]")):
        with pytest.raises(SystemExit) as ended:
            main([option])
        assert ended.value.code == 0
        assert capsys.readouterr().out.startswith(told)


@pytest.mark.parametrize(("found", "what"), [(VERSION + 1, "a newer"), (VERSION - 1, "an older")])
def test_it_says_what_to_do_when_the_folder_was_written_by_another_version(tmp_path, capsys, found, what):
    LocalEcr(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        connection.execute(f"PRAGMA user_version = {found}")
    assert main(["--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        f"{tmp_path} was written by {what} local_ecr (format {found}; this one reads {VERSION}): start it with that "
        "version, or name another folder"
    )
    assert ("remove it and begin anew" in told) == (what == "an older")


def test_it_says_what_to_do_when_another_programs_tables_are_in_the_folder(tmp_path, capsys):
    with closing(sqlite3.connect(tmp_path / "state.sqlite3")) as connection:
        connection.execute("CREATE TABLE image (id INTEGER)")
    assert main(["--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{tmp_path / 'state.sqlite3'} cannot be used (table image already exists): ")
    assert told.endswith("name a folder that is empty, or one that a local ECR has kept\n")


def test_it_says_which_port_is_taken_when_it_cannot_listen(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--data", str(tmp_path), "--port", str(port)]) == 1
    assert capsys.readouterr().err == (
        f"cannot listen on port {port} of 127.0.0.1: Address already in use; name another one with --port, or none "
        "for any\n"
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--host", "localhost"], "--host localhost: not an IP address, such as 127.0.0.1"),
        (["--public-host", "registry:5000"], "--public-host registry:5000: not a host name without a port"),
        (["--public-host", "a b"], "--public-host a b: not a host name without a port"),
    ],
)
def test_it_says_what_is_wrong_with_an_option(capsys, options, told):
    assert main(options) == 2
    assert capsys.readouterr().err == f"{told}\n"


def test_it_says_how_a_registry_is_written_when_one_is_not(capsys):
    with pytest.raises(SystemExit):
        main(["--registry", "111122223333"])
    assert "not ACCOUNT/REGION, such as 111122223333/us-east-1: '111122223333'" in capsys.readouterr().err


def test_it_says_so_when_a_certificate_authority_is_broken(tmp_path, capsys):
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "ca.pem").write_text("hello")
    assert main(["--data", str(tmp_path), "--tls"]) == 1
    assert (
        capsys.readouterr().err == f"{tmp_path}/tls holds no certificate authority of ours: remove it for a new one\n"
    )


@pytest.mark.slow
def test_it_warns_when_other_machines_can_reach_it(tmp_path):
    with running(tmp_path, "--data", "kept", "--host", "0.0.0.0", "--public-host", "registry.example") as process:  # noqa: S104
        assert process.stdout.readline().startswith("ready endpoint http://registry.example:")
        assert process.stderr.readline().startswith("warning: whoever reaches 0.0.0.0 can be any account")


@pytest.mark.slow
def test_it_says_where_the_authority_and_the_proxy_are_when_it_speaks_tls(tmp_path):
    authorities = []
    for _ in range(2):
        with running(tmp_path, "--data", "kept", "--tls") as process:
            told = [process.stdout.readline().split()[1:] for _ in range(4)]
            process.terminate()
            assert process.wait(20) == 0
        assert [what for what, *_ in told] == ["endpoint", "registry", "proxy", "ca"]
        assert [told[at][-1].partition(":")[0] for at in range(3)] == ["https", "https", "http"]
        assert told[3][-1] == str(tmp_path / "kept" / "tls" / "ca.pem")
        authorities.append(Path(told[3][-1]).read_bytes())
    assert authorities[0] == authorities[1]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_it_is_small_when_it_rests(tmp_path):
    with running(tmp_path, "--data", "kept") as process:
        assert process.stdout.readline().startswith("ready")
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    [resident] = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")]
    assert resident < 100 * 1024
