"""Quirks as they are written: in a text, in a table, on the command line."""

import pytest

from local_ecr import Quirks
from local_ecr.__main__ import main


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ecr", set(Quirks.names())),
        ("none", set()),
        ("ecr,-patch_answers_201", set(Quirks.names()) - {"patch_answers_201"}),
        ("none, blob_redirect ,long_image_tags", {"blob_redirect", "long_image_tags"}),
        ("none,blob_redirect,-blob_redirect", set()),
    ],
)
def test_quirks_are_read_from_a_text(text, names):
    quirks = Quirks.parse(text)
    assert {name for name in Quirks.names() if getattr(quirks, name)} == names


@pytest.mark.parametrize(
    ("text", "likely"),
    [("ecr,-patch_answer_201", "patch_answers_201"), ("none,redirect_blob", "blob_redirect"), ("non", "none")],
)
def test_the_nearest_word_is_named_when_a_quirk_is_unknown(text, likely):
    with pytest.raises(ValueError, match=f"did you mean '{likely}'"):
        Quirks.parse(text)


@pytest.mark.parametrize("text", ["", ",", "blob_redirect", "ecr,", "ecr,,none", "ecr;none"])
def test_a_text_is_refused_when_it_is_no_list_of_quirks(text):
    with pytest.raises(ValueError, match=r"there is no quirk|it begins with"):
        Quirks.parse(text)


def test_the_table_of_quirks_is_printed_when_it_is_asked_for(capsys):
    assert main(["--quirks", "list"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{name}\n    {what}\n    {source}\n" in printed for name, what, source in Quirks.table())


def test_a_wrong_quirk_is_an_error_of_the_command_line(capsys):
    assert main(["--quirks", "ecr,-blob_redirct"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("--quirks ecr,-blob_redirct: ")
    assert "did you mean 'blob_redirect'" in error
    assert error.endswith(f"`--quirks list` prints all {len(Quirks.names())}\n")
