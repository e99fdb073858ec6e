"""Circles of images: by the definition, image by image."""

from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.circles import circles
from ecr_steward.domain.names import Digest

DIGESTS = [Digest(f"sha256:{digit * 64}") for digit in "abcdef"]
OWNERS = st.dictionaries(st.sampled_from(DIGESTS), st.frozensets(st.sampled_from(DIGESTS), max_size=3))


def reachable(digest: Digest, owners: dict[Digest, frozenset[Digest]]) -> set[Digest]:
    found: set[Digest] = set()
    left = [*owners.get(digest, ())]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            left += owners.get(each, ())
    return found


@given(OWNERS)
def test_a_circle_has_every_image_that_belongs_to_each_other_and_no_more(
    owners: dict[Digest, frozenset[Digest]],
) -> None:
    """attacks L3."""
    beyond = {digest: reachable(digest, owners) for digest in DIGESTS}
    expected = {
        frozenset({other for other in DIGESTS if other in beyond[digest] and digest in beyond[other]} | {digest})
        for digest in DIGESTS
    }

    assert set(circles(owners)) == {circle for circle in expected if len(circle) > 1}


def test_a_long_chain_and_a_long_circle_need_no_recursion() -> None:
    many = [Digest(f"sha256:{number:064x}") for number in range(20_000)]
    chain = dict(zip(many, ([each] for each in many[1:]), strict=False))

    assert list(circles(chain)) == []
    assert list(circles({**chain, many[-1]: [many[0]]})) == [frozenset(many)]
