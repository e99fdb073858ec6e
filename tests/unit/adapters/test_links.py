"""Reading the ``Link`` header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.links import next_link


@pytest.mark.parametrize(
    ("header", "target"),
    [
        (None, None),
        ("", None),
        ('</v2/a/tags/list?last=x>; rel="next"', "/v2/a/tags/list?last=x"),
        ("</v2/a>; rel=next", "/v2/a"),
        ('</v2/a>;rel="prev next"', "/v2/a"),
        ('</v2/a>; title="one, two; three"; REL="NEXT"', "/v2/a"),
        ('</first>; rel="first", </second>; rel="next"', "/second"),
        ('</v2/a,b>; rel="next"', "/v2/a,b"),
        ('</v2/a>; rel="prev"', None),
        ("</v2/a>", None),
        ('/v2/a; rel="next"', None),
    ],
)
def test_the_next_page_is_found_when_there_is_one(header: str | None, target: str | None) -> None:
    assert next_link(header) == target


@given(st.text(alphabet='<>;,="rel next/a ', max_size=300))
def test_it_ends_with_a_target_or_none_when_the_header_is_arbitrary(header: str) -> None:
    target = next_link(header)

    assert target is None or f"<{target}>" in header


def test_it_ends_at_once_when_the_header_is_made_to_be_slow() -> None:
    assert next_link("<" * 30_000) is None
    assert next_link("<a>" + ";rel" * 15_000) is None
    assert next_link("<a>" + ' ; a="' * 10_000) is None
