"""One queue: its messages are received, and deleted once they have done what they are for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from propcache.api import cached_property

from exchanger.config.models import Notices, S3Config
from exchanger.errors import QueueError
from exchanger.outside.aws import REGION, open_session, redactor_of

LONG_POLL = 20
"""Seconds that SQS waits for a message before it answers that there is none; its most."""
AT_ONCE = 10
"""Messages of one answer, and deletions of one request, at most."""
_REGION_OF_HOST = re.compile(r"(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.|^([a-z0-9-]+)\.queue\.")


class Message(NamedTuple):
    """A message, and what it is deleted by."""

    id: str
    body: str
    receipt: str


class Queue:
    """
    A queue of SQS.

    Args:
        notices: Its address, and where SQS is asked if that is elsewhere.
        config: Whose credentials to use.
    """

    def __init__(self, notices: Notices, config: S3Config) -> None:
        self.url = notices.sqs
        self._notices = notices
        self._config = config
        self._redactor = redactor_of(config)

    def receive(self) -> list[Message]:
        """
        Receive messages, and wait for one if there is none.

        Raises:
            QueueError: It refused or did not answer.
        """
        with self._typed("hear of new files from"):
            answer = self._client.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=AT_ONCE, WaitTimeSeconds=LONG_POLL
            )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return [Message(one["MessageId"], one["Body"], one["ReceiptHandle"]) for one in found]

    def delete(self, receipts: Sequence[str]) -> None:
        """
        Delete messages; one that was received again meanwhile may stay.

        Raises:
            QueueError: It refused or did not answer.
        """
        for start in range(0, len(receipts), AT_ONCE):
            some = receipts[start : start + AT_ONCE]
            entries = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(some)]
            with self._typed("delete messages from"):
                self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)

    def probe(self) -> None:
        """
        Look whether the queue is there and may be asked. Takes no message.

        Raises:
            QueueError: It refused or did not answer.
        """
        with self._typed("look at"):
            self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config

        address = urlsplit(self.url)
        endpoint = self._notices.endpoint_url or f"{address.scheme}://{address.netloc}"
        named = _REGION_OF_HOST.search(address.hostname or "")
        region = next(filter(None, named.groups()), None) if named else None
        settings: dict[str, Any] = {
            "retries": {"mode": "standard", "total_max_attempts": 3},
            "connect_timeout": 10,
            "read_timeout": LONG_POLL + 20,
            "ignore_configured_endpoint_urls": True,
        }
        client: Any = open_session(self._config).client(
            "sqs",
            region_name=region or self._config.region or REGION,
            endpoint_url=endpoint,
            config=Config(**settings),
        )
        return client

    @contextmanager
    def _typed(self, action: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            told = error.response.get("Error", {})
            code = str(told.get("Code") or "")
            detail = self._redactor.clean(f"{code}: {told.get('Message') or ''}")
            raise QueueError(action, self.url, detail, code=code) from error
        except BotoCoreError as error:
            raise QueueError(action, self.url, self._redactor.clean(str(error))) from error
