"""Every error the steward raises on purpose, named for the fact.

::

    StewardError
    ├── PermanentError                trying again cannot help: the event goes to the failure queue
    │   ├── MalformedEventError       a payload that does not have the documented shape
    │   ├── InvalidNameError          a name or digest that the registry could never hold
    │   ├── InvalidRulebookError      the rulebook does not validate: nothing is enforced
    │   ├── AccessDeniedError         the function's role, or a policy, does not allow the call
    │   │   ├── RoleNotAssumableError    a role of ours, here or in another account, does not let us be it
    │   │   ├── RegistryNotAllowedError  a registry that the template's parameter OtherRegistries does not name
    │   │   └── AccountNotConnectedError an account that neither SpokeAccounts nor an announcement names
    │   ├── RepositoryNotFoundError   use cases answer it with "nothing to do" where it is one
    │   ├── ImageNotFoundError        likewise
    │   ├── ImageIsListedError        an index lists this image, so the registry does not delete it
    │   ├── ImageTagIsImmutableError  the repository refuses to move this image tag
    │   ├── InvalidManifestError      too large, not JSON, or not what its media type says
    │   ├── InvalidImageConfigError   too large, not JSON, or read otherwise by other clients
    │   ├── InvalidLifecyclePolicyError  not JSON, or words that no lifecycle policy of ECR has
    │   ├── DigestMismatchError       the bytes received are not the bytes asked for
    │   ├── GivenUpError              a copy that was under way when its run was ended
    │   ├── CopyHopsError             a copy of which the rest was put back too often without an end
    │   ├── BlobTooLargeError         a blob that no invocation is long enough for
    │   ├── BackfillFailedError       images from before its configuration that ECR's own replication did not bring
    │   ├── BackfillUnderWayError     another one to the same region was started meanwhile
    │   ├── SweepIncompleteError      a sweep that went on past what it could not mend
    │   ├── CredentialRefusedError    a fresh login that was let push, or not let pull, when it was tried: not published
    │   ├── ForeignSecretError        a secret that holds something of somebody else's: it stays as it is
    │   ├── CannotUndoError           a recorded step that cannot be undone, or is nothing to undo any more
    │   └── RefusedByRegistryError    any other refusal, with the registry's own words
    │       └── TooManyReferrersError     more than anybody lists
    └── RetryableError                trying again may help: raised, so that the caller retries
        ├── LastImageTagError         the facts have changed: removing the tag now would delete the image
        ├── ImageTaggedMeanwhileError likewise: the image to be deleted holds another tag now
        ├── PausedError               a person has paused everything while a plan was under way
        ├── OutOfTimeError            what an invocation has no time left for
        ├── ShareUsedError            a copy that has had its turn, with referrers left for a later one
        ├── CopyUnderWayError         another job copies the same image to the same place
        ├── WorkloadsUnreadError      an account runs more than could be read in its time
        ├── ThrottledError
        └── RegistryUnavailableError  connection lost, 5xx, or an answer cut short

An error carries in ``str(error)`` what went wrong, with what, and where a person can act on it, what to do.
"""

from collections.abc import Sequence


class StewardError(Exception):
    """Base of the tree. Never raised itself."""

    rule: str | None = None
    """The rule whose step met the error, where one did."""


class PermanentError(StewardError):
    """Trying again cannot help."""


class RetryableError(StewardError):
    """Trying again may help."""


class MalformedEventError(PermanentError):
    """A payload that does not have the documented shape."""


class InvalidNameError(PermanentError, ValueError):
    """A repository name, image tag, digest, account or region that cannot exist."""


class InvalidRulebookError(PermanentError):
    """The rulebook does not validate; nothing is enforced until it does."""


class AccessDeniedError(PermanentError):
    """The caller is not allowed to do this."""


class RoleNotAssumableError(AccessDeniedError):
    """A role that we are meant to assume does not let us, or does not exist."""


class RegistryNotAllowedError(AccessDeniedError):
    """A registry, not ECR's, that this deployment may not copy to. Deploying with another parameter allows it."""


class AccountNotConnectedError(AccessDeniedError):
    """An account that the template's parameter ``SpokeAccounts`` does not name, and that has not announced itself."""


class RepositoryNotFoundError(PermanentError):
    """There is no such repository (any more)."""


class ImageNotFoundError(PermanentError):
    """There is no such image (any more)."""


class ImageIsListedError(PermanentError):
    """An index lists this image; the registry deletes it only after the index."""


class ImageTagIsImmutableError(PermanentError):
    """The repository refuses to move this image tag to another image."""


class InvalidManifestError(PermanentError):
    """A manifest that is too large, is not JSON or contradicts its media type."""


class InvalidImageConfigError(PermanentError):
    """An image config that is too large, is not JSON or says things that clients read differently."""


class InvalidLifecyclePolicyError(PermanentError):
    """A lifecycle policy that is not JSON, or says what the steward does not know."""


class DigestMismatchError(PermanentError):
    """The bytes received are not the bytes asked for."""


class GivenUpError(PermanentError):
    """A copy was under way when its run was ended."""


class BackfillFailedError(PermanentError):
    """A backfill of ECR's own replication did not bring all images, or could not be started as it was planned."""


class BackfillUnderWayError(PermanentError):
    """Another backfill to the same region was started meanwhile. The next sweep looks again."""


class SweepIncompleteError(PermanentError):
    """A sweep went on past what it could not look at or mend; the next one tries again."""


class CopyHopsError(PermanentError):
    """What is left of a copy was put back on its queue too often."""


class BlobTooLargeError(PermanentError):
    """A blob cannot be copied within one invocation."""


class CredentialRefusedError(PermanentError):
    """A fresh login does not do what a credential must: pull, and nothing more."""


class ForeignSecretError(PermanentError):
    """A secret holds something that the steward did not put there; it is not overwritten."""


class CannotUndoError(PermanentError):
    """A recorded step that cannot be undone as the facts are."""


class RefusedByRegistryError(PermanentError):
    """The registry refused, for a reason this tree has no name for."""


class TooManyReferrersError(RefusedByRegistryError):
    """An image has more referrers than are listed, by number or by bytes."""


class LastImageTagError(RetryableError):
    """The image tag has become the image's last one; ECR would delete the image with it. Plan anew."""


class ImageTaggedMeanwhileError(RetryableError):
    """The image holds an image tag that it did not hold when its end was planned, or was archived since. Plan anew."""


class PausedError(RetryableError):
    """A person has paused everything while a plan was under way; what is left of it waits."""


class WorkloadsUnreadError(RetryableError):
    """What an account runs could not be read in its time. What was read is remembered: the next look goes on there."""


class ThrottledError(RetryableError):
    """The service asked us to slow down, more often than the SDK's own retries bear."""


class OutOfTimeError(RetryableError):
    """What was asked for may not end before the invocation does. Of a copy, what has been moved is there."""

    def __init__(self, message: str, *, largest: str = "", moved: int = 0, had: float = 0.0) -> None:
        """The ``largest`` blob that was not moved, in words, how many were, and the seconds that there were for it."""
        super().__init__(message)
        self.largest = largest
        self.moved = moved
        self.had = had


class ShareUsedError(RetryableError):
    """A copy has had its turn. The image is there with its tags; referrers are left for a later turn."""

    def __init__(self, message: str, *, after: str) -> None:
        """``after`` is where the next turn goes on."""
        super().__init__(message)
        self.after = after


class CopyUnderWayError(RetryableError):
    """Another job copies this image to this destination at the moment."""


class RegistryUnavailableError(RetryableError):
    """The connection was lost, the answer was cut short, or the service had an internal error."""


def gravest(errors: Sequence[StewardError]) -> StewardError:
    """The one of several errors to raise: a retryable one where there is one, since trying again may mend all.

    The others become its notes, those of another rule with that rule's name, and so do their own notes; each once,
    since messages of a batch that are about one image share its error, and this is asked for each of them.
    """
    chosen = next((error for error in errors if isinstance(error, RetryableError)), errors[0])
    for error in errors:
        if error is not chosen:
            whose = f" ({error.rule})" if error.rule and error.rule != chosen.rule else ""
            for note in (f"beside it{whose}: {error}", *getattr(error, "__notes__", ())):
                if note not in getattr(chosen, "__notes__", ()):
                    chosen.add_note(note)
    return chosen
