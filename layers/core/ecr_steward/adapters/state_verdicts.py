"""The ``Verdicts`` port over the state table: a partition for each repository.

Verdicts and heard events are items of their own: two functions write at the same time, and neither overwrites what the
other has written. All expire; where they are lost, images are judged again.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.judged import LONGEST, MOST_PARTS, Judged
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.scans import Verdict

KEPT = 2 * LONGEST
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class StateVerdicts:
    """A ``Verdicts``. Times are kept to the millisecond."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def known(self, repository: RepositoryRef) -> tuple[Mapping[Digest, Judged], Mapping[Digest, datetime]]:
        judged: dict[Digest, Judged] = {}
        heard: dict[Digest, datetime] = {}
        for item in self._table.query(_partition(repository)):
            kind, _, digest = item.key.sk.partition(" ")
            at = _EPOCH + item.number("at") * _MILLISECOND
            if kind == "heard":
                heard[Digest(digest)] = at
            else:
                parts = item.attributes.get("parts")
                of = tuple(map(Digest, parts)) if isinstance(parts, list) else ()
                judged[Digest(digest)] = Judged(Verdict(item.text("verdict")), item.text("basis"), at, of)
        return judged, heard

    def keep(self, repository: RepositoryRef, judged: Mapping[Digest, Judged]) -> None:
        self._table.put_all(
            _item(repository, "judged", digest, each.at, verdict=str(each.verdict), basis=each.basis, parts=_few(each))
            for digest, each in judged.items()
        )

    def hear(self, repository: RepositoryRef, images: Iterable[Digest], at: datetime) -> None:
        for digest in images:
            self._table.put(_item(repository, "heard", digest, at))


def _few(judged: Judged) -> list[str]:
    return [each.value for each in judged.parts] if len(judged.parts) <= MOST_PARTS else []


def _item(repository: RepositoryRef, kind: str, digest: Digest, at: datetime, **attributes: str | list[str]) -> Item:
    moment = (at - _EPOCH) // _MILLISECOND
    return Item(Key(_partition(repository), f"{kind} {digest}"), {"at": moment, **attributes}, at + KEPT)


def _partition(repository: RepositoryRef) -> str:
    return f"verdicts#{repository}"
