"""What registries that are not ECR hold: they list no images with their digests, so each thing is asked for."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ecr_steward.domain.names import Digest, ImageTag, OtherRepository
from ecr_steward.errors import AccessDeniedError, RetryableError
from ecr_steward.ports.stores import ImageContent

WORKERS = 8
"""Requests to one registry at a time. Each is small, and most of its time is waiting."""

type _Asked = tuple[OtherRepository, Digest | ImageTag]


@dataclass(frozen=True)
class Answers:
    """Asks for each thing once, until ``forget``: images of one repository often ask for the same."""

    content: ImageContent
    silent: set[str] = field(default_factory=set)
    """Registries and repositories that could not be asked; a sweep does not wait for them once more."""
    _known: dict[_Asked, Digest | None] = field(default_factory=dict)

    def holders(self, repository: OtherRepository, image_tags: Iterable[ImageTag]) -> Mapping[ImageTag, Digest]:
        """Which image holds each of these image tags, of those that are there. Raises StewardError."""
        tags = list(image_tags)
        self._ask(repository, tags)
        found = {tag: self._known[repository, tag] for tag in tags}
        return {tag: digest for tag, digest in found.items() if digest is not None}

    def there(self, repository: OtherRepository, digests: Iterable[Digest]) -> frozenset[Digest]:
        """Those of these images that are there. Raises StewardError."""
        wanted = list(digests)
        self._ask(repository, wanted)
        return frozenset(digest for digest in wanted if self._known[repository, digest] is not None)

    def is_silent(self, repository: OtherRepository) -> bool:
        """Whether it could not be asked before."""
        return repository.host in self.silent or str(repository) in self.silent

    def forget(self) -> None:
        """Something may have been put there."""
        self._known.clear()

    def _ask(self, repository: OtherRepository, references: Iterable[Digest | ImageTag]) -> None:
        missing = [each for each in dict.fromkeys(references) if (repository, each) not in self._known]
        if not missing:
            return
        try:
            store = self.content.elsewhere(repository)
            self._known.update(
                ((repository, each), found) for each, found in zip(missing, _all(store.digest_of, missing), strict=True)
            )
        except RetryableError:
            self.silent.add(repository.host)
            raise
        except AccessDeniedError:
            self.silent.add(str(repository))
            raise


def _all[Item, Found](ask: Callable[[Item], Found], items: list[Item]) -> list[Found]:
    """What is answered to each, the first alone: where it meets an error, the others need not."""
    first, *others = items
    answers = [ask(first)]
    if others:
        with ThreadPoolExecutor(min(WORKERS, len(others)), "ask") as pool:
            answers += pool.map(ask, others)
    return answers
