"""`local-ecr seed`: what it leaves in a folder, and what it refuses; it costs some 200 ms, and a slow test 1 s."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest

from local_ecr import LocalEcr, Registry
from local_ecr.__main__ import main
from local_ecr.state import images, repositories

HERE = Registry("111122223333", "us-east-1")


def counted(folder, registry=HERE):
    """Images of each repository, in the order of a listing."""
    with closing(LocalEcr(folder)) as ecr, ecr.store.reading() as connection:
        found = repositories.of_registry(connection, registry)
        return {one.name: images.count(connection, one.id) for one in found}


def test_repositories_are_numbered_in_the_order_of_a_listing(tmp_path, capsys):
    assert main(["seed", "team-{}/app", "--data", str(tmp_path), "--repositories", "11", "--images", "2"]) == 0

    told = capsys.readouterr().out
    assert re.fullmatch(
        r"111122223333/us-east-1: 11 repositories, team-00/app to team-10/app, 22 images, in \d+\.\d s\n"
        rf"next: local-ecr --data {re.escape(str(tmp_path))}\n",
        told,
    )
    assert counted(tmp_path) == {f"team-{number:02}/app": 2 for number in range(11)}


def test_one_repository_has_the_name_that_is_written(tmp_path, capsys):
    options = ["--images", "3", "--platforms", "2", "--image-tag", "1.{}.0", "--days", "30", "--label", "team=a"]
    registry = Registry("444455556666", "eu-west-1")
    given = ["team/app", "--data", str(tmp_path), "--registry", "444455556666/eu-west-1", *options]

    assert main(["seed", *given, "--layer-bytes", "10", "--layer-bytes", "20"]) == 0

    assert capsys.readouterr().out.startswith("444455556666/eu-west-1: team/app, 9 images, in ")
    assert counted(tmp_path, registry) == {"team/app": 9}
    with closing(LocalEcr(tmp_path)) as ecr, ecr.store.reading() as connection:
        repository = repositories.get(connection, registry, "team/app")
        found = images.active(connection, repository.id)
        assert [images.tags_of(connection, one) for one in found] == [
            [],
            [],
            ["1.0.0"],
            [],
            [],
            ["1.1.0"],
            [],
            [],
            ["1.2.0"],
        ]
        assert (found[-1].pushed_at - found[0].pushed_at) / 86_400 == pytest.approx(30)
        assert len({one.size for one in found}) == 2


def test_images_are_untagged_where_the_tag_is_empty(tmp_path):
    assert main(["seed", "team/app", "--data", str(tmp_path), "--images", "2", "--image-tag", ""]) == 0

    with closing(LocalEcr(tmp_path)) as ecr, ecr.store.reading() as connection:
        assert images.tag_names(connection, repositories.get(connection, HERE, "team/app").id, "", 9) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["Team"], "'Team' makes no repository name\n"),
        (
            ["team/app", "--repositories", "2"],
            "'team/app' has no {}: 2 repositories need names of their own, such as team/app-{}\n",
        ),
        (
            ["team/app", "--images", "40000", "--platforms", "2"],
            "a repository has 0 to 100,000 images and indexes, not 120,000\n",
        ),
    ],
)
def test_it_says_what_cannot_be_and_makes_nothing(tmp_path, capsys, given, told):
    assert main(["seed", *given, "--data", str(tmp_path / "ecr")]) == 2
    assert capsys.readouterr().err == told
    assert not (tmp_path / "ecr").exists()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--label", "team"], "argument --label: not KEY=VALUE: 'team'"),
        (["--images", "100001"], "argument --images: not a whole number from 0 to 100,000: '100001'"),
        (["--days", "-1"], "argument --days: not a whole number from 0 to 36,500: '-1'"),
    ],
)
def test_it_says_how_an_option_is_written(tmp_path, capsys, given, told):
    with pytest.raises(SystemExit) as ended:
        main(["seed", "team/app", "--data", str(tmp_path), *given])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_folder_that_a_server_uses_is_left_alone(tmp_path, capsys):
    with closing(LocalEcr(tmp_path)):
        assert main(["seed", "team/app", "--data", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"another local ECR is using {tmp_path}: end that one, or name another folder\n"
    assert counted(tmp_path) == {}


def test_it_says_which_repository_has_no_room(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("local_ecr.images.push.MAX_IMAGES", 2)
    assert main(["seed", "team/app", "--data", str(tmp_path), "--images", "3"]) == 1
    assert "team/app" in capsys.readouterr().err


@pytest.mark.slow
def test_an_interrupted_command_says_how_to_continue_and_leaves_a_whole_folder(tmp_path):
    """1 s."""
    given = [sys.executable, "-m", "local_ecr", "seed", "team/app", "--images", "100000", "--data", str(tmp_path)]
    with subprocess.Popen(given, stderr=subprocess.PIPE, text=True) as process:
        while not images_written(tmp_path):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=20)[1] == "interrupted; the same command continues\n"
        assert process.returncode == 130

    before = counted(tmp_path)["team/app"]
    assert 0 < before < 100_000
    assert main(["seed", "team/app", "--images", str(before + 1), "--data", str(tmp_path)]) == 0
    assert counted(tmp_path) == {"team/app": before + 1}


def images_written(folder):
    """Images that the process has committed so far."""
    try:
        with closing(sqlite3.connect(f"file:{folder}/state.sqlite3?mode=ro", uri=True)) as connection:
            return connection.execute("SELECT count(*) FROM image").fetchone()[0]
    except sqlite3.OperationalError:  # before its tables
        return 0
