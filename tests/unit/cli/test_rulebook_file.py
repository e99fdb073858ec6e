"""YAML as rulebooks use it, and what they may not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.problems import Problem
from ecr_steward_cli.rulebook_file import SIZE_LIMIT, VALUE_LIMIT, Place, UnreadableRulebookError, read_rulebook_file

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in zip("abcdef", "bcdefg", strict=True)
)


@pytest.fixture
def read(tmp_path):
    def read_source(source):
        path = tmp_path / "r.yaml"
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return read_rulebook_file(path)

    return read_source


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("yes", "yes"),  # YAML 1.2 knows true and false only
        ("true", True),
        ("'true'", "true"),
        ("14", 14),
        ("1.5", 1.5),
        ("012345678901", "012345678901"),  # an account id, not a number with a zero too many
        ("2027-01-31", "2027-01-31"),
        ("~", None),
        ("", None),
        ("0x10", 16),
        ("&here text", "text"),
    ],
)
def test_a_scalar_is_what_json_would_hold_when_read(read, source, value):
    assert read(f"key: {source}\n").data == {"key": value}


def test_an_alias_is_its_anchor_when_read(read):
    file = read("a: &it [1]\nb: *it\n")

    assert file.data == {"a": [1], "b": [1]}


def test_keys_and_values_keep_their_places_when_read(read):
    file = read("a:\n  - b: text\n    c: [1, 22]\n")

    assert file.keys[("a", 0, "c")] == Place(3, 5, 1)
    assert file.values[("a", 0, "b")] == Place(2, 8, 4)
    assert file.values[("a", 0, "c", 1)] == Place(3, 12, 2)


def test_a_problem_stands_at_what_contains_it_when_it_has_no_place(read):
    file = read("a:\n  b: 1\n")

    assert file.place_of(Problem(("a", "b", "c", 7), "odd", code=Code.OTHER_VALUE)) == Place(2, 6, 1)
    assert file.place_of(Problem((), "odd", code=Code.OTHER_VALUE)) == Place(1, 1, 2)


@pytest.mark.parametrize(
    ("source", "line", "column", "told"),
    [
        ("a: [1\n", 2, 1, "this is no YAML: while parsing a flow sequence, expected ',' or ']'"),
        ("\ta: 1", 1, 1, "a tab indents nothing in YAML: write spaces"),
        ("a: 1\na: 2\n", 2, 1, "the key `a` stands here twice: first in line 1"),
        ("a: &x [*x]", 1, 4, "`*x` contains itself"),
        ("a: *nobody", 1, 4, "found undefined alias"),
        ("a: !!python/object:os.system x", 1, 4, "is not understood here"),
        ("a: {<<: {b: 1}}", 1, 5, "merge keys are not understood here: write the keys out"),
        ("? [a]\n: b", 1, 3, "a key is a word, not a list or a mapping"),
        ("a: 1\n---\nb: 2\n", 2, 1, "a second document begins here: a file holds one"),
        ("", 1, 1, "the file is empty: it needs `version` and `rules`"),
        ("# only words\n", 1, 1, "the file is empty"),
        (b"a: 1\nb: \xff\n", 2, 1, "the file is not UTF-8"),
        ("a: \x07", 1, 1, "this is no YAML: unacceptable character"),
        ("[" * 1200, 1, 1, "this is nested too deeply"),
        (BOMB, 5, 1, f"this unfolds to more than {VALUE_LIMIT} values"),
        ("#" * 1_048_577, 1, 1, "the file has 1048577 bytes; a rulebook has at most 1048576"),
    ],
    ids=lambda value: None if isinstance(value, int) else str(value)[:20],
)
def test_the_place_is_told_when_a_file_is_no_rulebook(read, source, line, column, told):
    with pytest.raises(UnreadableRulebookError) as caught:
        read(source)

    assert told in caught.value.message
    assert (caught.value.place.line, caught.value.place.column) == (line, column)


def test_a_file_is_read_when_it_is_as_large_as_the_limit(read):
    assert read("a: 1\n".ljust(SIZE_LIMIT, "#")).data == {"a": 1}


@pytest.mark.slow
@pytest.mark.parametrize("more", [0, 1])
def test_aliases_unfold_to_as_many_values_as_the_limit(read, more):
    once = 999
    around = 3  # the document, `b` and `c`
    times = (VALUE_LIMIT - around) // (once + 1) - 1
    rest = VALUE_LIMIT - around - (times + 1) * (once + 1) + more
    source = f"a: &a [{'1,' * once}]\nb: [{'*a,' * times}]\nc: [{'1,' * rest}]\n"

    if more:
        with pytest.raises(UnreadableRulebookError, match="unfolds to more than"):
            read(source)
    else:
        assert len(read(source).data["b"]) == times


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text("ab:#-'\" {[é\n\\", max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab :#", min_size=1, max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=json_values, indent=st.none() | st.just(2))
def test_a_document_is_read_as_json_reads_it_when_it_is_json(tmp_path_factory, value, indent):
    path = tmp_path_factory.getbasetemp() / "r.yaml"
    path.write_text(json.dumps(value, indent=indent), encoding="utf-8")

    assert read_rulebook_file(path).data == value
