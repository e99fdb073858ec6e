"""Blobs and manifests from one store to another: the one place that knows in what order content is copied.

Several blobs are under way at a time, the largest first, each verified and each once; what the destination has is not
read. Manifests come when all of that is there.
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from random import uniform
from typing import Protocol, Self

from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import (
    GivenUpError,
    OutOfTimeError,
    PausedError,
    RefusedByRegistryError,
    RetryableError,
    StewardError,
    gravest,
)
from ecr_steward.ports.stores import ImageStore

BLOB_WORKERS = 32
"""Blobs under way at a time. Each holds half a MiB, whatever its size; most of their time is waiting."""
TRIES = 4
"""Of one blob."""
RETRIES = 64
"""Of all blobs of a run together: a registry that fails everything is not asked for hours."""
FIRST_PAUSE = 0.5
"""Seconds before the second try of a blob; each further pause is twice as long."""
RESERVE_SECONDS = 90.0
"""Time that must be left to go on with a blob, since time is looked at between two chunks only: more than a silence of
a registry (``limits.READ_SECONDS``) before ``LAST_SECONDS``."""
LAST_SECONDS = 40.0
"""Of an invocation, for putting back what is left: no registry is asked or waited for then, but for an answer that has
begun to come, and that for one silence more."""


class Progress(Protocol):
    """Who is told how far blobs are. Called from several threads."""

    def begun(self, blob: Descriptor) -> None:
        """A blob is under way, perhaps once more."""

    def moved(self, blob: Descriptor, count: int) -> None:
        """So many more bytes of it have been read."""

    def ended(self, blob: Descriptor) -> None:
        """It is there, or has failed."""


class Untold:
    """A ``Progress`` that nobody looks at."""

    def begun(self, blob: Descriptor) -> None: ...

    def moved(self, blob: Descriptor, count: int) -> None: ...

    def ended(self, blob: Descriptor) -> None: ...


@dataclass(frozen=True)
class Pace:
    """How much at a time, and for how long."""

    workers: int = BLOB_WORKERS
    deadline: Deadline = NEVER
    sleep: Callable[[float], object] | None = None
    """Between two tries; ``None`` sleeps until the run is over."""


AT_ONCE = Pace()
"""As much at a time as the machine bears, without a limit of time."""


def _plainly(_blob: Descriptor) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass
class _Tries:
    """How many more tries all blobs of a run have together."""

    left: int = RETRIES
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_left(self) -> bool:
        with self._lock:
            self.left -= 1
            return self.left >= 0


class Mover:
    """Moves content from one store to another. A context: threads end with it."""

    def __init__(
        self, source: ImageStore, destination: ImageStore, progress: Progress | None = None, pace: Pace | None = None
    ) -> None:
        pace = pace or AT_ONCE
        self._source = source
        self._destination = destination
        self._progress = progress or Untold()
        self._deadline = pace.deadline
        self._tries = _Tries()
        self._blobs = ThreadPoolExecutor(pace.workers, "blob")
        self._lookers = ThreadPoolExecutor(pace.workers, "proof")
        self._proofs: dict[Digest, Future[bool]] = {}
        self._lock = threading.Lock()
        self._moving: dict[Digest, Future[bool]] = {}
        self._is_over = threading.Event()
        self._sleep = pace.sleep or self._is_over.wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """What is still under way is given up at its next chunk: nobody waits for gigabytes after Ctrl-C."""
        self.give_up()
        for pool in (self._blobs, self._lookers):
            pool.shutdown(wait=True, cancel_futures=True)

    def give_up(self) -> None:
        """Have everything that is under way end in a GivenUpError."""
        self._is_over.set()

    def move(
        self,
        blobs: Iterable[Descriptor],
        known: Mapping[Digest, bool] | None = None,
        around: Callable[[Descriptor], AbstractContextManager[None]] = _plainly,
    ) -> list[Descriptor]:
        """Have all these blobs at the destination; answers those that had to be moved now.

        ``known`` says of some whether they are there. Each is moved inside of what ``around`` answers for it. Raises
        OutOfTimeError, and what a blob met that could not be moved; the others are moved all the same.
        """
        had = self._deadline.seconds_left()
        own: list[tuple[Descriptor, Future[bool]]] = []
        others: list[Future[bool]] = []
        for blob in sorted(blobs, key=lambda each: -each.size):
            with self._lock:
                if (under_way := self._moving.get(blob.digest)) is not None:
                    others.append(under_way)
                    continue
                is_there = (known or {}).get(blob.digest)
                future = self._moving[blob.digest] = self._blobs.submit(self._move_one, blob, is_there, around)
                own.append((blob, future))
        futures = [future for _, future in own] + others
        wait(futures)
        _raise_what_failed(own, futures, had)
        return [blob for blob, future in own if future.result()]

    def put(self, manifest: Manifest, image_tag: ImageTag | None = None, *, is_top: bool = False) -> None:
        """Put a manifest whose content is there. Raises GivenUpError when the run is over."""
        self._go_on()
        self._destination.put_manifest(manifest, image_tag, is_top=is_top)
        if image_tag is None:
            self._look_for(manifest.digest, lambda digest: self._destination.digest_of(digest) == digest)

    def prove(self, digests: Iterable[Digest]) -> None:
        """Have seen what was moved or put of these, where the destination is not believed. It is looked for meanwhile.

        Raises RefusedByRegistryError for what was taken and is not there.
        """
        for digest in digests:
            if (proof := self._proofs.get(digest)) is not None and not proof.result():
                raise RefusedByRegistryError(f"{digest} was accepted, and is not there")

    def _look_for(self, digest: Digest, look: Callable[[Digest], bool]) -> None:
        if not self._destination.is_believed:
            self._proofs[digest] = self._lookers.submit(look, digest)

    def _go_on(self) -> None:
        """Raises GivenUpError when the run is over, and OutOfTimeError when it has to be soon."""
        if self._is_over.is_set():
            raise GivenUpError("given up, since the run was ended")
        self._deadline.require(RESERVE_SECONDS)

    def _move_one(
        self, blob: Descriptor, is_there: bool | None, around: Callable[[Descriptor], AbstractContextManager[None]]
    ) -> bool:
        """Whether any byte had to be moved."""
        for attempt in range(TRIES):
            self._go_on()
            try:
                if self._destination.has_blob(blob.digest) if is_there is None else is_there:
                    return False
                with around(blob):
                    is_moved = self._destination.write_blob(blob, self._source, lambda: self._metered(blob))
                self._look_for(blob.digest, self._destination.has_blob)
                return is_moved
            except (OutOfTimeError, PausedError):
                raise
            except RetryableError:
                if attempt == TRIES - 1 or not self._tries.is_left():
                    raise
                is_there = None
                self._sleep(FIRST_PAUSE * 2**attempt * uniform(0.5, 1.5))  # noqa: S311
        raise AssertionError("the last try returns or raises")

    @contextmanager
    def _metered(self, blob: Descriptor) -> Iterator[Iterable[bytes]]:
        self._progress.begun(blob)
        try:
            with self._source.read_blob(blob) as chunks:
                yield self._counted(blob, chunks)
        finally:
            self._progress.ended(blob)

    def _counted(self, blob: Descriptor, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self._go_on()
            self._progress.moved(blob, len(chunk))
            yield chunk


def _raise_what_failed(
    own: Sequence[tuple[Descriptor, Future[bool]]], futures: Sequence[Future[bool]], had: float
) -> None:
    """One error for all blobs: what nobody foresaw first, then what no more time would mend, then time."""
    errors = [error for future in futures if (error := future.exception()) is not None]
    if strangers := [error for error in errors if not isinstance(error, StewardError)]:
        raise strangers[0]
    known = [error for error in errors if isinstance(error, StewardError)]
    if known and all(isinstance(error, OutOfTimeError) for error in known):
        left = [f"{blob.digest} of {blob.size:,} bytes" for blob, future in own if future.exception() is not None]
        moved = sum(future.exception() is None and future.result() for _, future in own)
        raise OutOfTimeError(str(known[0]), largest=left[0] if left else "", moved=moved, had=had)
    if known:
        raise gravest([error for error in known if not isinstance(error, OutOfTimeError)])
