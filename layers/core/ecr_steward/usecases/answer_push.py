"""Push → its image tags enforced; then its settings looked at and a copy job, where that may be needed."""

from collections.abc import Callable
from dataclasses import dataclass

from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.observations import Push
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import StewardError, gravest
from ecr_steward.ports.messages import Hints, ReplicationQueue
from ecr_steward.ports.own_tags import OwnTags
from ecr_steward.usecases.enforce_image_tags import given_tags
from ecr_steward.usecases.seen_settings import SettingsMemory


def answer_push(
    push: Push,
    *,
    rules: Rules,
    enforce: Callable[[ImageRef], Outcome],
    own_tags: OwnTags,
    memory: SettingsMemory,
    hints: Hints,
    queue: ReplicationQueue,
) -> Outcome:
    """Answer a push, unless it is a put of the steward, whose invocation looks at the image tags by itself.

    What another function has to do is asked for after the image tags, so that one copy job brings the aliases, too;
    and whatever comes of the tags. What could not be asked for is raised, or a note of what was raised before.
    """
    noted = own_tags.last(push.image.repository, push.image_tag) if push.image_tag else None
    if noted is not None and noted.explains(push):
        return Outcome(str(push.image), remark="the steward itself put this image tag, and looked at it afterwards")
    asking = _Asking(push, rules, memory, hints, queue)
    try:
        outcome = enforce(push.image)
    except StewardError as error:
        try:
            asking.ask(set())
        except StewardError as beside:  # whether the push is answered again is up to its own error
            error.add_note(f"beside it: {beside}")
        raise
    asking.ask(given_tags(outcome.plan) if outcome.applied else set())
    return outcome


@dataclass(frozen=True)
class _Asking:
    push: Push
    rules: Rules
    memory: SettingsMemory
    hints: Hints
    queue: ReplicationQueue

    def ask(self, given: set[Digest]) -> None:
        """Ask other functions for what a push may need, each although the other could not be asked."""
        errors: list[StewardError] = []
        for one in (self._for_settings, lambda: self._for_copies(given)):
            try:
                one()
            except StewardError as error:
                errors.append(error)
        if errors:
            raise gravest(errors)

    def _for_settings(self) -> None:
        """Without a trail the first push announces a repository; which one is the first, no event says."""
        repository = self.push.image.repository
        if self.push.image_tag and not self.memory.knows(repository):
            self.hints.pushed_to(repository)

    def _for_copies(self, given: set[Digest]) -> None:
        """Copy what was pushed, and what has other image tags by it.

        Which rule governs the repository is not asked here: the job asks, and copies nothing where none does.
        """
        image = self.push.image
        covering = [rule for rule in self.rules.rules if rule.match.may_cover(image.repository)]
        if covering and self.rules.defaults:
            covering.append(self.rules.defaults)
        if not any(rule.replicate for rule in covering):
            return
        tag = self.push.image_tag
        self.queue.request(ReplicationRequested(image, f"pushed as {tag}" if tag else "pushed by digest"))
        for digest in sorted(given - {image.digest}):
            why = f"its image tags changed when {image} was pushed"
            self.queue.request(ReplicationRequested(ImageRef(image.repository, digest), why))
