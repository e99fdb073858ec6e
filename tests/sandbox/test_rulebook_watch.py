"""A rulebook file that is saved while the sandbox runs."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ecr_steward_sandbox.rulebook_watch import InvalidRulebookError, RulebookSource, RulebookWatch


@dataclass
class Stand:
    """A file, a watch of it, and what the watch did."""

    file: Path
    used: list[str] = field(default_factory=list)
    reported: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.file.write_text("first")
        self.end = threading.Event()
        source = RulebookSource(self.file, self.compile)
        self.watch = RulebookWatch(source, source.version(), self.used.append, self.reported.append, self.end)

    def compile(self) -> str:
        text = self.file.read_text()
        if text.startswith("invalid"):
            raise InvalidRulebookError(f"{text}: line 1")
        return f"compiled {text}"


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path / "ecr-steward.yaml")


def test_nothing_is_put_in_force_when_the_file_is_as_it_was(stand: Stand) -> None:
    stand.watch.look()

    assert (stand.used, stand.reported) == ([], [])


def test_a_saved_file_is_put_in_force_once(stand: Stand) -> None:
    stand.file.write_text("second")
    stand.watch.look()
    stand.watch.look()

    assert stand.used == ["compiled second"]
    assert stand.reported == [f"rulebook  {stand.file} is in force"]


def test_a_file_that_was_saved_while_the_sandbox_started_is_put_in_force(stand: Stand) -> None:
    source = RulebookSource(stand.file, stand.compile)
    in_force = source.version()
    stand.file.write_text("second")

    RulebookWatch(source, in_force, stand.used.append, stand.reported.append, stand.end).look()

    assert stand.used == ["compiled second"]


def test_a_file_of_the_same_size_that_replaces_it_is_put_in_force(stand: Stand) -> None:
    new = stand.file.with_suffix(".new")
    new.write_text("other")
    new.replace(stand.file)

    stand.watch.look()

    assert stand.used == ["compiled other"]


def test_what_was_in_force_stays_when_the_file_does_not_compile(stand: Stand) -> None:
    stand.file.write_text("invalid one")
    stand.watch.look()
    stand.watch.look()

    assert stand.used == []
    assert len(stand.reported) == 1, "reported once"
    assert "invalid one: line 1" in stand.reported[0]
    assert "is not in force" in stand.reported[0]


def test_a_file_that_is_gone_for_a_moment_is_put_in_force_when_it_is_back(stand: Stand) -> None:
    stand.file.unlink()
    stand.watch.look()
    stand.file.write_text("third")
    stand.watch.look()

    assert stand.used == ["compiled third"]
    assert len(stand.reported) == 1


def test_the_watch_ends_when_it_is_to_end(stand: Stand) -> None:
    thread = threading.Thread(target=stand.watch.run, daemon=True)
    thread.start()
    stand.end.set()
    thread.join(10)

    assert not thread.is_alive()
