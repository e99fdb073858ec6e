"""The index of the corpus: it names every file, and every kind of event and answer that something of ours reads."""

import ast
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import botocore
import pytest
from botocore import xform_name

from tests.corpus.files import HERE, KINDS, copies, index, kind_of_event, patterns_of_aws

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "layers" / "core" / "ecr_steward" / "adapters"
ACTION = re.compile(r"[a-z0-9]+:[A-Z]\w+")
WORDS = ("action-type", "eventName")


def kinds_wanted() -> Iterator[str]:
    """The kinds of AWS's events that a rule lets through, as the index names them."""
    for one in itertools.chain(*patterns_of_aws().values()):
        words = next((one["detail"][word] for word in WORDS if word in one.get("detail", {})), [None])
        for detail_type, word in itertools.product(one["detail-type"], words):
            yield f"{detail_type}: {word}" if word else detail_type


class Calls:
    """What the adapters ask of AWS: each action that they translate the errors of, and whether an answer is read."""

    def __init__(self) -> None:
        self.actions: set[str] = set()
        self.read: set[str] = set()
        for path in sorted(ADAPTERS.glob("*.py")):
            self._look_at(ast.parse(path.read_text(encoding="utf-8")))

    def _look_at(self, module: ast.Module) -> None:
        discarded = {id(node.value) for node in ast.walk(module) if isinstance(node, ast.Expr)}
        for statement in ast.walk(module):
            if not isinstance(statement, ast.With):
                continue
            for action in (_translated(item.context_expr) for item in statement.items):
                if action is None:
                    continue
                self.actions.add(action)
                operation = xform_name(action.partition(":")[2])
                calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call) and _is_of(node, operation)]
                if any(id(call) not in discarded for call in calls):
                    self.read.add(action)


def _translated(expression: ast.expr) -> str | None:
    match expression:
        case ast.Call(func=ast.Name(id="translated"), args=[ast.Constant(value=str(action)), *_]):
            return action if ACTION.fullmatch(action) else None
    return None


def _is_of(call: ast.Call, operation: str) -> bool:
    named = [each.value for each in call.args if isinstance(each, ast.Constant)]
    return operation in named or (isinstance(call.func, ast.Attribute) and call.func.attr == operation)


@pytest.mark.parametrize("kind", KINDS)
def test_the_index_names_every_file_and_no_other_when_the_folder_is_read(kind):
    files = {path.relative_to(HERE / kind).with_suffix("").as_posix() for path in (HERE / kind).rglob("*.json")}

    assert set(index()[kind]) == files


@pytest.mark.parametrize("kind", KINDS)
def test_each_copy_says_where_it_is_from_and_what_it_is_when_it_is_in_the_index(kind):
    for copy in copies(kind):
        assert copy.about["nature"] in ("recorded", "published"), copy
        assert copy.about["copied"] in ("verbatim", "form"), copy
        assert copy.about["source"] and copy.about["read"], copy


def test_only_packages_with_a_licence_are_copied_word_by_word_when_the_notice_names_them():
    notice = (HERE / "NOTICE").read_text(encoding="utf-8")
    packages = {copy.about["source"].partition(":")[0] for kind in KINDS for copy in copies(kind) if _is_verbatim(copy)}

    assert packages == {"awscli 1.46.3", "botocore 1.44.5"}
    assert all(package in notice for package in packages)


def _is_verbatim(copy):
    return copy.about["copied"] == "verbatim"


def test_a_copy_of_botocores_is_still_what_botocore_publishes_when_it_is_word_by_word():
    data = Path(botocore.__file__).parent.parent
    compared = 0
    for copy in copies("answers"):
        package, _, where = copy.about["source"].partition(": ")
        if not package.startswith("botocore"):
            continue
        path, _, example = where.partition(", ")
        operation, _, number = example.partition(" ")
        examples = json.loads((data / path).read_text(encoding="utf-8"))["examples"]
        assert copy.load() == examples[operation][int(number) - 1]["output"], copy
        compared += 1
    assert compared


def test_every_kind_of_event_is_here_or_was_looked_for_when_a_rule_wants_it():
    wanted = set(kinds_wanted())
    here = {
        kind_of_event(copy.load()): None
        for copy in copies("events")
        if copy.about["rules"]  # one that no rule lets through stands for no kind that is wanted
    }

    assert len(wanted) > 20
    assert wanted == set(here) | set(index()["not_found"]["events"])
    assert not set(here) & set(index()["not_found"]["events"])


def test_every_answer_is_here_or_was_looked_for_when_an_adapter_reads_it():
    calls = Calls()
    here = {":".join(copy.name.split("/")[:2]) for copy in copies("answers")}

    assert len(calls.actions) > 50
    assert here <= calls.actions
    assert calls.read == (here & calls.read) | set(index()["not_found"]["answers"])
    assert not here & set(index()["not_found"]["answers"])


def test_every_detail_type_has_a_schema_or_was_looked_for_when_an_event_of_it_is_read():
    wanted = {kind.partition(": ")[0] for kind in kinds_wanted()}
    here = {copy.load()["properties"]["detail-type"]["const"] for copy in copies("schemas")}

    assert wanted == here | set(index()["not_found"]["schemas"])
