"""Chunks of an upload in any order, by two clients at once: what is kept is what was acknowledged, and nothing else."""

import hashlib
import select
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from local_ecr import Quirks
from tests.hostile.victim import NOWHERE, REPOSITORY, attacked, digest_of
from tests.hostile.wire import exchange_on, request_bytes

UPLOADS = f"/v2/{REPOSITORY}/blobs/uploads/"
pieces = st.binary(max_size=12)
spans = st.tuples(st.integers(-3, 40), st.integers(-3, 40))


class Uploads(RuleBasedStateMachine):
    """A model of uploads: an upload is the bytes that were acknowledged, until it is finished or given up."""

    uploads = Bundle("uploads")
    ended = Bundle("ended")

    @initialize()
    def begin_server(self):
        self.stack = ExitStack()
        folder = Path(tempfile.mkdtemp(prefix="hostile-"))
        self.stack.callback(shutil.rmtree, folder)
        # parts of any size are taken, and `Range` says what is there
        self.victim = self.stack.enter_context(attacked(folder, quirks=Quirks.parse("ecr,-small_parts_refused")))
        self.received: dict[str, bytes] = {}
        self.blobs: set[str] = set()

    def send(self, method, location, body=b"", span=None):
        """Ask, and ask again for as long as a request that was broken off holds the upload."""
        headers = [("Content-Range", span)] if span is not None else []
        for _ in range(200):
            answer = self.victim.v2.send(method, location, body=body, headers=headers)
            if answer.status != 409:
                break
            time.sleep(0.01)
        return answer

    @rule(target=uploads)
    def begin(self):
        location = self.send("POST", UPLOADS).headers["Location"]
        self.received[location] = b""
        return location

    @rule(location=uploads, piece=pieces)
    def append(self, location, piece):
        """PATCH without a range goes behind what is there; an empty one is none too many."""
        answer = self.send("PATCH", location, piece)
        assert answer.status == 201
        self.received[location] += piece

    @rule(location=uploads, piece=pieces.filter(len))
    def append_in_order(self, location, piece):
        begins = len(self.received[location])
        assert self.send("PATCH", location, piece, f"{begins}-{begins + len(piece) - 1}").status == 201
        self.received[location] += piece

    @rule(location=uploads, piece=pieces, span=spans)
    def append_anywhere(self, location, piece, span):
        """A gap, an overlap, a repetition, a range backwards or of another length."""
        first, last = span
        begins = len(self.received[location])
        answer = self.send("PATCH", location, piece, f"{first}-{last}")
        if (first, last) == (begins, begins + len(piece) - 1):
            assert answer.status == 201
            self.received[location] += piece
        else:
            assert answer.status in {400, 416}
            assert answer.code in {"BLOB_UPLOAD_INVALID", "SIZE_INVALID"}

    @rule(location=uploads, piece=pieces, promised=st.integers(1, 50))
    def break_off(self, location, piece, promised):
        """A body that ends too early is no part."""
        head = [("Host", "localhost"), ("Authorization", f"Basic {self.victim.v2.token}")]
        length = [("Content-Length", str(len(piece) + promised))]
        with socket.create_connection(("127.0.0.1", self.victim.v2.port), timeout=5) as connection:
            connection.sendall(request_bytes("PATCH", location, [*head, *length], piece))
            connection.shutdown(socket.SHUT_WR)
            connection.recv(4096)

    @rule(location=uploads, piece=pieces.filter(len))
    def append_twice_at_once(self, location, piece):
        """A client that holds an upload keeps another out, and hurts nobody but itself when it goes."""
        head = [("Host", "localhost"), ("Authorization", f"Basic {self.victim.v2.token}"), ("Content-Length", "20")]
        with socket.create_connection(("127.0.0.1", self.victim.v2.port), timeout=5) as slow:
            slow.sendall(request_bytes("PATCH", location, head, piece[:5]))
            while (answer := self.victim.v2.send("PATCH", location, body=piece)).status == 201:
                self.received[location] += piece  # the other one has not begun
                if select.select([slow], [], [], 0)[0]:
                    break  # and will not: it came while this one was writing
            assert answer.status in {201, 409}
            rest = b"x" * (20 - len(piece[:5]))
            first = exchange_on(slow, rest, "PATCH")
            assert first.status == (201 if answer.status == 409 else 409)
        if first.status == 201:
            self.received[location] += piece[:5] + rest

    @rule(location=uploads, piece=pieces)
    def finish_under_another_digest(self, location, piece):
        assert self.send("PUT", f"{location}?digest=sha256:0", piece).code == "DIGEST_INVALID"
        assert self.send("PUT", location, piece).code == "DIGEST_INVALID"

    @rule(target=ended, location=consumes(uploads), piece=pieces)
    def finish(self, location, piece):
        data = self.received.pop(location) + piece
        answer = self.send("PUT", f"{location}?digest={digest_of(data)}", piece)
        if data:
            assert answer.status == 201
            self.blobs.add(digest_of(data))
        else:
            assert answer.code == "BLOB_UPLOAD_INVALID"
        return location

    @rule(target=ended, location=consumes(uploads), piece=pieces)
    def finish_with_what_it_is_not(self, location, piece):
        del self.received[location]
        assert self.send("PUT", f"{location}?digest={NOWHERE}", piece + b"!").code == "BLOB_UPLOAD_INVALID"
        return location

    @rule(target=ended, location=consumes(uploads))
    def give_up(self, location):
        del self.received[location]
        assert self.send("DELETE", location).status == 204
        return location

    @rule(location=ended, method=st.sampled_from(["GET", "PATCH", "PUT", "DELETE"]), piece=pieces.filter(len))
    def touch_what_is_over(self, location, method, piece):
        """After an empty finish the upload is still there, and may be used; after any other it is not."""
        asked = f"{location}?digest={digest_of(piece)}" if method == "PUT" else location
        answer = self.send(method, asked, piece if method in {"PATCH", "PUT"} else b"")
        if method == "PUT" and answer.status == 201:
            self.blobs.add(digest_of(piece))
        assert answer.status in {201, 204, 404}

    @invariant()
    def what_was_acknowledged_is_there(self):
        for location, received in getattr(self, "received", {}).items():
            answer = self.send("GET", location)
            assert answer.status == 204
            assert answer.headers["Range"] == f"0-{max(len(received) - 1, 0)}"

    def teardown(self):
        if not hasattr(self, "stack"):
            return
        with self.stack:
            folder = self.victim.blob_path(NOWHERE).parent
            found = {f"sha256:{path.name}": path.read_bytes() for path in folder.glob("*")}
            assert set(found) == self.blobs
            assert all(hashlib.sha256(data).hexdigest() == digest[7:] for digest, data in found.items())


class TestChunkOrders(Uploads.TestCase):
    """The same rules, run as a test."""

    settings = settings(max_examples=2, stateful_step_count=12, deadline=None)


@pytest.mark.slow
class TestChunkOrdersAgainAndAgain(Uploads.TestCase):
    """The same rules, for longer."""

    settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
