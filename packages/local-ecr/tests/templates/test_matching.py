"""Which creation template counts for a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.state.creation_templates import CreationTemplate
from local_ecr.templates.matching import choose_template

CAUSES = ("REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH")

parts = st.sampled_from(["a", "b", "ab", "a-b"])
paths = st.lists(parts, min_size=1, max_size=4).map("/".join)
prefixes = st.one_of(paths, paths.map(lambda path: f"{path}/"), st.just("ROOT"))


def template(prefix, *applied_for):
    return CreationTemplate(prefix, applied_for or CAUSES, created_at=0.0, updated_at=0.0)


def by_the_words_of_the_guide(templates, name, cause):
    """Every template whose prefix, with the assumed `/`, the name begins with; the longest, else ROOT."""
    applied = [one for one in templates if cause in one.applied_for]
    fitting = [one for one in applied if one.prefix != "ROOT" and name.startswith(f"{one.prefix.rstrip('/')}/")]
    if fitting:
        return max(fitting, key=lambda one: len(one.prefix.rstrip("/")))
    return next((one for one in applied if one.prefix == "ROOT"), None)


@given(
    known=st.lists(st.tuples(prefixes, st.sets(st.sampled_from(CAUSES), min_size=1)), max_size=8).map(
        lambda given: {prefix.rstrip("/"): template(prefix, *sorted(causes)) for prefix, causes in given}
    ),
    name=paths,
    cause=st.sampled_from(CAUSES),
)
def test_the_longest_prefix_among_those_of_the_cause_counts(known, name, cause):
    assert choose_template(known.values(), name, cause) == by_the_words_of_the_guide(known.values(), name, cause)


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("prod/team/api", "prod/team"),
        ("prod/api", "prod/"),
        ("prod/teams/api", "prod/"),
        ("prod", "ROOT"),
        ("production/api", "ROOT"),
        ("prod/team", "prod/"),
    ],
)
def test_there_is_always_an_assumed_slash_at_the_end_of_a_prefix(name, chosen):
    templates = [template("prod/"), template("prod/team"), template("ROOT")]
    assert choose_template(templates, name, "REPLICATION").prefix == chosen
