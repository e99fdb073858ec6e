"""local_ecr's API beside moto's server, its pages, many small pushes, and how it starts and idles.

Rates are of client processes, the same code against either server, taken in turns. Nothing is retried.
"""

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any

from pushes import Pushes, push_many

from lab.callers import callers, describe_images, put_images
from lab.peers import distribution, local_ecr, moto, require
from lab.seeding import seed
from lab.verdicts import Verdict, at_least, at_most, below, tell

RATE = 2.0  # times moto's
PAGE = 1.5  # times the page of the small repository
START = 1.0  # seconds
IDLE = 100.0  # MiB
PAGES = 9  # whole pages of the small repository behind which there is another
MIB = 1 << 20


def main() -> None:
    """Measure, print ours beside the peers', and end with 1 when a target is missed."""
    options = _options()
    require("moto_server", "make setup")
    require("docker-registry", "apt-get install docker-registry")
    with tempfile.TemporaryDirectory(prefix="bench-api-") as name:
        folder = Path(name)
        verdicts = [
            *_rates(folder, options),
            *_pages(folder, options),
            *_small_pushes(folder, options),
            *_start_and_idle(folder, options.rounds),
        ]
    tell(f"The API, medians of {options.rounds}", verdicts)


def _rates(folder: Path, options: argparse.Namespace) -> list[Verdict]:
    """PutImage and DescribeImages per second beside moto's."""
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    operations = {"PutImage": put_images, "DescribeImages": describe_images}
    with (
        local_ecr(folder / "rates") as ours,
        moto(folder) as theirs,
        callers(ours.endpoint, options.callers) as of_ours,
        callers(theirs.endpoint, options.callers) as of_theirs,
    ):
        for round_ in range(options.rounds + 1):
            for operation, work in operations.items():
                for name, called in (("ours", of_ours), ("moto", of_theirs)):
                    rate = called.rate(work, f"{operation.lower()}/{round_}", options.calls)
                    if round_ > 0:  # in the first one both servers import what they need
                        rates[operation, name].append(rate)
    return [
        at_least(
            f"{operation}, {options.callers} clients (moto)",
            statistics.median(rates[operation, "ours"]),
            statistics.median(rates[operation, "moto"]),
            RATE,
            "/s",
        )
        for operation in operations
    ]


def _pages(folder: Path, options: argparse.Namespace) -> list[Verdict]:
    """A page of a large repository, at its beginning and in its middle, beside one of a small repository."""
    seed(folder / "pages", {"team/small": options.few, "team/large": options.many})
    times: dict[str, list[float]] = defaultdict(list)
    with local_ecr(folder / "pages") as ours:
        client = ours.client()
        middle = _token_behind(client, "team/large", options.many // 2)
        for _ in range(options.rounds * 3):
            for name, repository_name, token in (
                ("small", "team/small", None),
                ("first", "team/large", None),
                ("middle", "team/large", middle),
            ):
                times[name] += _page_times(client, repository_name, token)
    medians = {name: statistics.median(values) * 1000 for name, values in times.items()}
    return [
        at_most(
            f"{name} page of {options.many:,} (page of {options.few:,})", medians[name], medians["small"], PAGE, "ms"
        )
        for name in ("first", "middle")
    ]


def _page_times(client: Any, repository_name: str, token: str | None) -> list[float]:
    times = []
    for _ in range(PAGES):
        started = time.perf_counter()
        answer = client.describe_images(repositoryName=repository_name, **({"nextToken": token} if token else {}))
        times.append(time.perf_counter() - started)
        token = answer["nextToken"]
    return times


def _token_behind(client: Any, repository_name: str, count: int) -> str:
    """The token of the page that begins behind so many images."""
    seen, token = 0, ""
    while seen < count:
        more = {"nextToken": token} if token else {}
        answer = client.describe_images(repositoryName=repository_name, maxResults=1000, **more)
        seen, token = seen + len(answer["imageDetails"]), answer["nextToken"]
    return token


def _small_pushes(folder: Path, options: argparse.Namespace) -> list[Verdict]:
    """Many pushes at once, all of which must succeed; and what the server needs when it is idle again."""
    with local_ecr(folder / "pushes") as ours:
        ours.client().create_repository(repositoryName="team/app")
        pushed = push_many(ours, ours.authorization_token(), clients=options.clients, pushes=options.pushes)
        resident = ours.resident_bytes() / MIB
    with distribution(folder / "distribution") as peer:
        theirs = push_many(peer, None, clients=options.clients, pushes=options.pushes)
    return [
        Verdict(
            f"{options.pushes:,} small pushes by {options.clients} clients (distribution)",
            _told(pushed),
            _told(theirs),
            "no error",
            not pushed.errors,
        ),
        below("memory after them", resident, IDLE, "MiB"),
    ]


def _told(pushes: Pushes) -> str:
    errors = f", {len(pushes.errors)} errors, the first: {pushes.errors[0]}" if pushes.errors else ""
    return f"{pushes.seconds:.1f} s{errors}"


def _start_and_idle(folder: Path, rounds: int) -> list[Verdict]:
    """From the start of the process until it is ready, and its memory when it has answered, beside moto's."""
    seconds: dict[str, list[float]] = defaultdict(list)
    resident: dict[str, list[float]] = defaultdict(list)
    for round_ in range(rounds):
        for name, start in (("ours", partial(local_ecr, folder / f"start-{round_}")), ("moto", partial(moto, folder))):
            started = time.perf_counter()
            with start() as peer:
                seconds[name].append(time.perf_counter() - started)
                peer.client().describe_repositories()
                time.sleep(0.5)
                resident[name].append(peer.resident_bytes() / MIB)
    until_ready = {name: statistics.median(values) for name, values in seconds.items()}
    idle = {name: statistics.median(values) for name, values in resident.items()}
    return [
        below("start until ready (moto)", until_ready["ours"], START, "s", until_ready["moto"]),
        below("idle memory (moto)", idle["ours"], IDLE, "MiB", idle["moto"]),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=400, help="of an operation, by each client process, in a round")
    parser.add_argument("--callers", type=int, default=4, help="client processes of the API")
    parser.add_argument("--few", type=int, default=1000, help="images of the small repository")
    parser.add_argument("--many", type=int, default=100_000, help="images of the large repository")
    parser.add_argument("--pushes", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8, help="clients that push at once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
