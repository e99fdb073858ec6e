"""Push → its image tags enforced, then a copy job where a rule may copy its repository."""

from collections.abc import Callable

from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.observations import Push
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Rules
from ecr_steward.errors import StewardError
from ecr_steward.ports.messages import ReplicationQueue
from ecr_steward.ports.own_tags import OwnTags
from ecr_steward.usecases.enforce_image_tags import given_tags


def answer_push(
    push: Push,
    *,
    rules: Rules,
    enforce: Callable[[ImageRef], Outcome],
    own_tags: OwnTags,
    queue: ReplicationQueue,
) -> Outcome:
    """Answer a push, unless it is a put of the steward, whose invocation looks at the image tags by itself.

    Copies come after the image tags, so that one job brings the aliases, too; they are asked for whatever comes of the
    tags. Which rule governs the repository is not asked here: the job asks, and copies nothing where none does.
    """
    noted = own_tags.last(push.image.repository, push.image_tag) if push.image_tag else None
    if noted is not None and noted.explains(push):
        return Outcome(str(push.image), remark="the steward itself put this image tag, and looked at it afterwards")
    try:
        outcome = enforce(push.image)
    except StewardError as error:
        try:
            _request_copies(push, set(), rules, queue)
        except StewardError as beside:  # whether the push is answered again is up to its own error
            error.add_note(f"beside it: {beside}")
        raise
    _request_copies(push, given_tags(outcome.plan) if outcome.applied else set(), rules, queue)
    return outcome


def _request_copies(push: Push, given: set[Digest], rules: Rules, queue: ReplicationQueue) -> None:
    """Ask for copies of what was pushed, and of what has image tags by it."""
    repository = push.image.repository
    if not may_copy(push, rules):
        return
    why = f"pushed as {push.image_tag}" if push.image_tag else "pushed by digest"
    queue.request(ReplicationRequested(push.image, why))
    for digest in sorted(given - {push.image.digest}):
        queue.request(
            ReplicationRequested(ImageRef(repository, digest), f"its image tags changed when {push.image} came")
        )


def may_copy(push: Push, rules: Rules) -> bool:
    """Whether some rule that may cover a repository has destinations."""
    covering = [rule for rule in rules.rules if rule.match.may_cover(push.image.repository)]
    if covering and rules.defaults:
        covering.append(rules.defaults)
    return any(rule.replicate for rule in covering)
