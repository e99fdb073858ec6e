"""The ways in which a line or a registry is bad."""

import time
from collections.abc import Mapping

from lab.proxy import Answer, Behaviour, Exchange

LIE = f"sha256:{'0' * 64}"
DRIP_SECONDS = 0.002


def cut_idle(exchange: Exchange) -> None:
    """The connection ends behind an answer, as if it had been idle for too long: the next request meets that."""
    exchange.answer(exchange.forward())
    exchange.hang_up()


def cut_at_once(exchange: Exchange) -> None:
    """In the request's line, as the registry sees it: nothing of it arrives."""
    exchange.hang_up()


def reset(exchange: Exchange) -> None:
    """Likewise, and rudely."""
    exchange.hang_up(rudely=True)


def cut_in_request(share: float) -> Behaviour:
    """In what is sent along, behind its first byte, in the middle, or before its last byte."""

    def behave(exchange: Exchange) -> None:
        exchange.forward_part(_part(exchange.length, share))
        exchange.hang_up(rudely=True)

    return behave


def cut_unsaid(exchange: Exchange) -> None:
    """The registry has done all of it, and nobody hears."""
    exchange.forward()
    exchange.hang_up()


def cut_in_status(exchange: Exchange) -> None:
    exchange.forward()
    exchange.say(b"HTTP/1.")
    exchange.hang_up()


def cut_in_headers(exchange: Exchange) -> None:
    head = exchange.forward().head()
    exchange.say(head[: len(head) // 2])
    exchange.hang_up()


def cut_in_answer(share: float) -> Behaviour:
    """Before the first byte of the body, in the middle, or before the last byte."""

    def behave(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.say(answer.head() + answer.body[: _part(len(answer.body), share) if share else 0])
        exchange.hang_up()

    return behave


def refuse(status: int, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Instead of doing anything."""

    def behave(exchange: Exchange) -> None:
        exchange.body()
        exchange.answer(Answer(status, headers or {}, b'{"errors": [{"code": "UNKNOWN", "message": "not now"}]}'))

    return behave


def flip_in_answer(exchange: Exchange) -> None:
    answer = exchange.forward()
    exchange.answer(Answer(answer.status, answer.headers, _flipped(answer.body)))


def flip_in_request(exchange: Exchange) -> None:
    exchange.answer(exchange.forward(_flipped(exchange.body())))


def lie_about_digest(exchange: Exchange) -> None:
    answer = exchange.forward()
    told = {name: value for name, value in answer.headers.items() if name.lower() != "docker-content-digest"}
    exchange.answer(Answer(answer.status, {**told, "Docker-Content-Digest": LIE}, answer.body))


def lie_about_length(by: int) -> Behaviour:
    """The body is longer or shorter than is said; where bytes are still waited for, none come."""

    def behave(exchange: Exchange) -> None:
        answer = exchange.forward()
        exchange.answer(answer, length=max(0, len(answer.body) + by))
        if by > 0:
            exchange.wait_until_gone()

    return behave


def drip(exchange: Exchange) -> None:
    """All of it, byte for byte: headers, and the beginning and end of the body."""
    answer = exchange.forward()
    data = answer.head() + (b"" if exchange.method == "HEAD" else answer.body)
    slow, rest = (data, b"") if len(data) < 600 else (data[:600], data[600:])
    for number in range(0, len(slow), 20):
        exchange.say(slow[number : number + 20])
        time.sleep(DRIP_SECONDS)
    exchange.say(rest)


def send_to(elsewhere: str, status: int = 307) -> Behaviour:
    """Point to another server."""

    def behave(exchange: Exchange) -> None:
        exchange.body()
        exchange.answer(Answer(status, {"Location": elsewhere + exchange.path}))

    return behave


def locate_at(elsewhere: str) -> Behaviour:
    """Have it done, and say that it goes on at another server."""

    def behave(exchange: Exchange) -> None:
        answer = exchange.forward()
        told = {name: value for name, value in answer.headers.items() if name.lower() != "location"}
        exchange.answer(Answer(answer.status, {**told, "Location": elsewhere + exchange.path}, answer.body))

    return behave


def _part(length: int, share: float) -> int:
    return min(max(1, int(length * share)), max(0, length - 1))


def _flipped(data: bytes) -> bytes:
    """With one bit changed, behind the middle."""
    if not data:
        return data
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
