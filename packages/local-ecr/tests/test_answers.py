"""What an answer writes leaves in as few packets as it can, in order, and all of it."""

import asyncio

import pytest

from local_ecr.answers import AnswerTransport


class Packets(asyncio.Transport):
    """Notes what is sent, and the end."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def write(self, data):
        self.sent.append(bytes(data))

    def close(self):
        self.sent.append("closed")

    def is_closing(self):
        return "closed" in self.sent


@pytest.mark.parametrize(
    ("steps", "sent"),
    [
        ([[b"head", b"body"]], [b"headbody"]),
        ([[b"head"], [b"body"]], [b"head", b"body"]),
        ([[b"head", b""]], [b"head"]),
        ([[b"head", b"one", b"two"]], [b"headone", b"two"]),
        ([[b"", b"head", b"body"]], [b"headbody"]),
        ([[b"100 Continue"], [b"head", b"body"]], [b"100 Continue", b"head", b"body"]),
    ],
)
def test_a_head_goes_with_the_body_when_both_are_written_in_one_step_of_the_event_loop(steps, sent):
    async def answer():
        packets = Packets()
        transport = AnswerTransport(packets, asyncio.get_running_loop())
        for step in steps:
            for data in step:
                transport.write(data)
            await asyncio.sleep(0)
        return packets.sent

    assert asyncio.run(answer()) == sent


def test_a_head_is_sent_before_the_end_when_no_body_follows():
    async def answer():
        packets = Packets()
        transport = AnswerTransport(packets, asyncio.get_running_loop())
        transport.write(b"head")
        transport.close()
        assert transport.is_closing()
        await asyncio.sleep(0)
        return packets.sent

    assert asyncio.run(answer()) == [b"head", "closed"]
