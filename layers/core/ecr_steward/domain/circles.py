"""Images that belong to each other in a circle, which image tags alone can make: digests cannot."""

from collections.abc import Collection, Iterator, Mapping

from ecr_steward.domain.names import Digest


def circles(owners: Mapping[Digest, Collection[Digest]]) -> Iterator[frozenset[Digest]]:
    """The sets of two or more images of which each belongs to each other, directly or not.

    These are the strongly connected components, by Tarjan's algorithm without recursion: time is linear.
    """
    order: dict[Digest, int] = {}
    lowest: dict[Digest, int] = {}
    path: list[Digest] = []
    on_path: set[Digest] = set()
    for root in owners:
        if root in order:
            continue
        visits: list[tuple[Digest, Iterator[Digest]]] = []
        entering: Digest | None = root
        while entering is not None or visits:
            if entering is not None:
                order[entering] = lowest[entering] = len(order)
                path.append(entering)
                on_path.add(entering)
                visits.append((entering, iter(owners.get(entering, ()))))
                entering = None
            digest, left = visits[-1]
            for owner in left:
                if owner not in order:
                    entering = owner
                    break
                if owner in on_path:
                    lowest[digest] = min(lowest[digest], order[owner])
            if entering is not None:
                continue
            visits.pop()
            if visits:
                below = visits[-1][0]
                lowest[below] = min(lowest[below], lowest[digest])
            if lowest[digest] == order[digest]:
                found = {path.pop()}
                while digest not in found:
                    found.add(path.pop())
                on_path -= found
                if len(found) > 1:
                    yield frozenset(found)
