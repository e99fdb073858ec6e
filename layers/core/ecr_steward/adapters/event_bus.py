"""The ``Notices`` port over Amazon EventBridge, guarded by an idempotency table; and the ``Hints`` port, unguarded."""

import logging
import time
from collections.abc import Callable

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyAlreadyInProgressError,
    IdempotencyInconsistentStateError,
    IdempotencyPersistenceLayerError,
    IdempotencyValidationError,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.exceptions import BotoCoreError, ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.translation import refusal, translated
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.notices import SOURCE, Notice, topic_of

ONCE_WITHIN_SECONDS = 24 * 60 * 60
GIVING_SECONDS = 30
"""How long a notice may be under way. After that a repeated event gives it again: its first giver was killed."""

WAITS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds to wait in turn for another invocation that gives the same notice; PutEvents takes a tenth of one."""


class EventBusNotices:
    """A ``Notices``. ``encode`` turns a notice into ``DetailType`` and ``Detail``, which hold nothing volatile.

    What a notice says is its identity: the same text within a day is the same notice, whichever function gives it. One
    with a topic is remembered by that, so that only the latest one is: a pass between two fails makes both fails news.
    A table that cannot be used never silences a notice: one that comes twice is better than one that is lost.
    """

    def __init__(
        self,
        clients: AwsClients,
        event_bus: str,
        table_name: str,
        encode: Callable[[Notice], tuple[str, str]],
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """``wait`` takes seconds, for another invocation that gives the same notice."""
        self._clients = clients
        self._event_bus = event_bus
        self._encode = encode
        self._table_name = table_name
        self._wait = wait

    def publish(self, notice: Notice) -> None:
        detail_type, detail = self._encode(notice)
        table = DynamoDBPersistenceLayer(table_name=self._table_name, boto3_client=self._clients.dynamodb)
        said = {"topic": topic_of(notice) or detail, "detail-type": detail_type, "detail": detail}
        was_put = False

        def put(*, what_it_says: dict[str, str]) -> None:
            nonlocal was_put
            self._put(what_it_says["detail-type"], what_it_says["detail"])
            was_put = True

        guarded = idempotent_function(
            put,
            data_keyword_argument="what_it_says",
            persistence_store=table,
            config=IdempotencyConfig(
                event_key_jmespath='["detail-type", topic]',
                payload_validation_jmespath="detail",
                expires_after_seconds=ONCE_WITHIN_SECONDS,
                use_local_cache=False,
                hash_function="sha256",
                lambda_context=_FixedTime(),
            ),
            key_prefix="notice",
        )

        def give() -> None:
            try:
                guarded(what_it_says=said)
            except IdempotencyValidationError as outdated:
                _forget(table, said, outdated)
                guarded(what_it_says=said)

        try:
            self._after_other_givers(give)
        except IdempotencyAlreadyInProgressError:
            self._put(detail_type, detail)  # its giver was killed, or is so slow that it may be
        except (
            IdempotencyPersistenceLayerError,
            IdempotencyInconsistentStateError,
            IdempotencyValidationError,  # again: others give notices on the topic at this moment
        ) as cause:
            logging.getLogger(__name__).warning("the idempotency table could not be used: %s", cause)
            if not was_put:
                self._put(detail_type, detail)

    def _after_other_givers(self, give: Callable[[], None]) -> None:
        """Give a notice, unless another invocation does so meanwhile: that one may be killed before it has."""
        for seconds in WAITS:
            try:
                return give()
            except IdempotencyAlreadyInProgressError:
                self._wait(seconds)
        return give()

    def _put(self, detail_type: str, detail: str) -> None:
        _put_event(self._clients, self._event_bus, detail_type, detail)


class EventBusHints:
    """A ``Hints``. ``encode`` turns a repository into ``DetailType`` and ``Detail``."""

    def __init__(self, clients: AwsClients, event_bus: str, encode: Callable[[RepositoryRef], tuple[str, str]]) -> None:
        self._clients = clients
        self._event_bus = event_bus
        self._encode = encode

    def pushed_to(self, repository: RepositoryRef) -> None:
        _put_event(self._clients, self._event_bus, *self._encode(repository))


def _put_event(clients: AwsClients, event_bus: str, detail_type: str, detail: str) -> None:
    with translated("events:PutEvents", event_bus):
        answer = clients.events.put_events(
            Entries=[{"EventBusName": event_bus, "Source": SOURCE, "DetailType": detail_type, "Detail": detail}]
        )
    if answer["FailedEntryCount"]:
        (entry,) = answer["Entries"]
        raise refusal("events:PutEvents", event_bus, entry.get("ErrorCode", ""), entry.get("ErrorMessage", ""))


def _forget(table: DynamoDBPersistenceLayer, said: dict[str, str], outdated: Exception) -> None:
    """Forget what was said on a topic before. Powertools wraps what goes wrong only in what it calls by itself."""
    try:
        table.delete_record(data=said, exception=outdated)
    except (BotoCoreError, ClientError) as cause:
        raise IdempotencyPersistenceLayerError("Failed to delete record from idempotency store", cause) from cause


class _FixedTime(LambdaContext):
    """What Powertools asks a Lambda context for: it dates the end of "in progress" from it."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return GIVING_SECONDS * 1000
