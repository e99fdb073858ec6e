"""The pages of docs/errors: their examples are the test of what the codes mean."""

import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook.checks import notes
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.load import load_compiled
from ecr_steward_cli.error_pages import index_text, pages_folder
from ecr_steward_cli.rulebook_commands import read_rulebook
from tests.command import run_here

TODAY = date(2026, 11, 26)
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VALID = "version: 1\nrules:\n  - name: services\n    match: {repositories: ['team-*/**']}\n    final: true\n"
ONLY_TOLD = {
    Code.BRAKE_NOT_HOLDING,
    Code.CALL_REFUSED,
    Code.COMPILED_UNREADABLE,
    Code.FACTS_MOVED,
    Code.JOURNAL_STEP,
    Code.NOT_CONFIRMED,
    Code.OTHER_VALUE,
    Code.OWN_ERROR,
    Code.SAVED_PLAN,
    Code.SAVED_PLAN_HELD,
    Code.SAVED_PLAN_RULEBOOK,
    Code.SAVED_PLAN_SCOPE,
    Code.STATE_TABLE,
}
"""Codes whose wrong example is a sentence: there has to be an AWS to go wrong with, or nothing has this code now."""


@dataclass(frozen=True)
class Section:
    """What a page shows as wrong, or as right: files, and the commands that read them."""

    files: dict[str, bytes]
    commands: tuple[str, ...]

    @classmethod
    def of(cls, page: str, title: str) -> "Section":
        text = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
        files, commands = {}, []
        for language, name, body in BLOCK.findall(text):
            if language == "console":
                commands += [line.removeprefix("$ ") for line in body.splitlines() if line.startswith("$ ")]
            else:
                files[name or {"json": "rulebook.json"}.get(language, "ecr-steward.yaml")] = (
                    printed_by(body) if language == "python" else body.encode()
                )
        return cls(files, tuple(commands))

    def codes(self, folder: Path) -> set[str]:
        """The codes that the steward answers with."""
        for name, source in {"ecr-steward.yaml": VALID.encode(), **self.files}.items():
            (folder / name).write_bytes(source)
        if self.commands:
            return codes_of_commands(self.commands, folder)
        if "rulebook.json" in self.files:
            return codes_of_compiled(folder / "rulebook.json")
        return codes_of_rulebook(folder / "ecr-steward.yaml")


def printed_by(code: str) -> bytes:
    """What a script prints: how a page shows an example that is too large to be read."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    with redirect_stdout(out):
        exec(code, {})  # noqa: S102  it stands in our own page
    return raw.getvalue()


def codes_of_commands(commands: tuple[str, ...], folder: Path) -> set[str]:
    told = ""
    for command in commands:
        program, *arguments = shlex.split(command)
        if program == "rm":
            (folder / arguments[0]).unlink()
        else:
            assert program == "ecr-steward"
            done = run_here(*arguments, folder=folder, environment=dict(os.environ))
            told += done.stdout + done.stderr if done.returncode else ""
            assert done.returncode in {0, 1}, told
    return set(re.findall(r"(?:^Error: |:\d+:\d+: (?:note: )?)(ES\d{3}) ", told, re.MULTILINE))


def codes_of_compiled(path: Path) -> set[str]:
    try:
        load_compiled(path)
    except InvalidRulebookError as error:
        return {str(error).partition(" ")[0]}
    return set()


def codes_of_rulebook(path: Path) -> set[str]:
    _, rulebook, findings = read_rulebook(path)
    return {str(each.code) for each in [*findings, *(notes(rulebook, TODAY) if rulebook else ())]}


def page(code: Code) -> str:
    return (pages_folder() / f"{code}.md").read_text(encoding="utf-8")


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Code, str], set[str]]:
    """The codes that a section of a page is answered with, tried in a folder of its own."""
    monkeypatch.setattr(sys, "argv", ["ecr-steward"])
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECR", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)

    def codes(code: Code, title: str) -> set[str]:
        folder = tmp_path / f"{code}-{title}"
        folder.mkdir()
        monkeypatch.chdir(folder)
        return Section.of(page(code), title).codes(folder)

    return codes


def test_a_page_tells_what_its_code_means_when_opened() -> None:
    parts = {code: page(code).partition("\n") for code in Code}

    assert [code for code, (title, _, _) in parts.items() if title != f"# {code}: {code.meaning}"] == []
    assert [code for code, (_, _, text) in parts.items() if len(text.partition("\n## Wrong\n")[0].split()) < 5] == []
    assert [code for code, (_, _, text) in parts.items() if not text.partition("\n## Right\n")[2].strip()] == []


@pytest.mark.slow
def test_what_a_page_calls_wrong_has_its_code_when_it_is_tried(found: Callable[[Code, str], set[str]]) -> None:
    answers = {code: found(code, "Wrong") for code in sorted(set(Code) - ONLY_TOLD)}

    assert {code: told for code, told in answers.items() if told != {str(code)}} == {}


def test_what_a_page_calls_right_is_right_when_it_is_tried(found: Callable[[Code, str], set[str]]) -> None:
    answers = {code: found(code, "Right") for code in Code}

    assert {code: told for code, told in answers.items() if told} == {}


def test_the_index_lists_every_code_when_read() -> None:
    assert (pages_folder() / "README.md").read_text(encoding="utf-8") == index_text()


def test_no_page_is_left_of_a_code_that_is_not_there() -> None:
    assert {path.stem for path in pages_folder().glob("ES*.md")} == {str(code) for code in Code}
