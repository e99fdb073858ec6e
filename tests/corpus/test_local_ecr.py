"""What local_ecr sends and answers in the cases of the corpus, beside the real events and answers."""

import tomllib

import pytest

from tests.corpus.files import HERE, copies
from tests.corpus.forms import differences
from tests.corpus.scene import Played, play

KNOWN = tomllib.loads((HERE / "differences.toml").read_text(encoding="utf-8"))
EXPLAINED = {tuple(line) for reason in KNOWN["explained"] for line in reason["of"]}
CASES = [copy for kind in ("events", "answers") for copy in copies(kind) if kind == "events" or copy.name[:4] == "ecr/"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return play(tmp_path_factory.mktemp("scene") / "ecr")


@pytest.mark.parametrize("copy", [copy for copy in CASES if copy.name not in KNOWN["not_played"]], ids=str)
def test_local_ecr_differs_in_what_is_explained_and_in_nothing_else_when_it_plays_a_case(copy, played):
    ours = (played.events if copy.kind == "events" else played.answers)[copy.name]

    found = {(copy.name, *each) for each in differences(copy.load(), ours)}

    assert found == {line for line in EXPLAINED if line[0] == copy.name}


def test_every_case_is_played_or_says_why_not_when_it_is_one_of_ecrs(played):
    assert {copy.name for copy in CASES} == {*played.events, *played.answers} | set(KNOWN["not_played"])
    assert not {*played.events, *played.answers} & set(KNOWN["not_played"])
    assert {line[0] for line in EXPLAINED} <= {copy.name for copy in CASES}


@pytest.mark.parametrize(
    ("real", "ours", "expected"),
    [
        ({"a": 1}, {"a": 2}, set()),
        ({"a": 1}, {"a": 1.5}, {("a", "number", "number with a fraction")}),
        ({"a": None}, {}, {("a", "null", "-")}),
        ({"a": {"b": 1}}, {}, {("a", "object", "-")}),
        ({"a": []}, {"a": [{"b": 1}]}, set()),
        ({"a": [{"b": ""}]}, {"a": [{"b": "x"}]}, {("a[].b", "empty", "text")}),
        ({"a": "111122223333"}, {"a": 111122223333}, {("a", "account", "number")}),
        ({"p": '{\n  "A" : 1\n}'}, {"p": '{"A":1}'}, {("p", "JSON in ECR's layout", "JSON")}),
    ],
)
def test_documents_differ_when_members_or_forms_do(real, ours, expected):
    assert differences(real, ours) == expected
