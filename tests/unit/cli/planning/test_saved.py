"""What is said of a file that is no saved plan."""

import pytest

from ecr_steward_cli.planning.saved import NotAPlanError, SavedPlan


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a": 1}', "has written: it has no 'schema_version'"),
        ('{"schema_version": 99}', "has the version 99"),
        ("{", "has written: Expecting property name"),
        ("[]", "has written: "),
    ],
)
def test_the_reason_is_told_when_a_file_is_no_saved_plan(tmp_path, text, why):
    path = tmp_path / "plan.json"
    path.write_text(text)

    with pytest.raises(NotAPlanError, match=why):
        SavedPlan.read(path)
