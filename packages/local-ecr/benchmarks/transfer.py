"""Push and pull of one image with skopeo: local_ecr beside CNCF distribution, whole commands, taken in turns.

The image is an OCI layout of random bytes in uncompressed layers. skopeo is told to keep its digest, or it would spend
most of either command on compressing what cannot be compressed. In each round both servers are new processes on empty
folders, on new ports, so that skopeo finds nothing there that it could mount; who goes first alternates. Before each
command all that is to be written is on disk, or a command would pay for the one before it.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

from lab.images import write_layout
from lab.peers import Peer, distribution, local_ecr, require, without_proxies
from lab.verdicts import at_most, tell

OURS, THEIRS = "local_ecr", "distribution"
TARGET = 1.15  # times distribution's median
MIB = 1 << 20

Times = dict[tuple[str, str], list[float]]
"""Seconds of each round by command and server."""


def main() -> None:
    """Measure, print the medians, and end with 1 when a target is missed."""
    options = _options()
    require("skopeo", "apt-get install skopeo")
    times: Times = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench-transfer-", dir=options.folder) as name:
        folder = Path(name)
        layout = folder / "image"
        write_layout(layout, layers=options.layers, layer_bytes=options.mib * MIB // options.layers)
        for round_ in range(options.rounds):
            with tempfile.TemporaryDirectory(dir=folder) as here:
                _round(Path(here), layout, times, [OURS, THEIRS] if round_ % 2 == 0 else [THEIRS, OURS])
    for (command, server), values in sorted(times.items()):
        print(f"{command} {server}: " + " ".join(f"{value:.2f}" for value in values))
    medians = {key: statistics.median(values) for key, values in times.items()}
    tell(
        f"{options.mib} MiB in {options.layers} layers with skopeo beside distribution, medians of {options.rounds}",
        [
            at_most(command, medians[command, OURS], medians[command, THEIRS], TARGET, "s")
            for command in ("push", "pull")
        ],
    )


def _round(folder: Path, layout: Path, times: Times, order: list[str]) -> None:
    with ExitStack() as stack:
        servers = {
            OURS: stack.enter_context(local_ecr(folder / OURS)),
            THEIRS: stack.enter_context(distribution(folder / THEIRS)),
        }
        credentials = folder / "auth.json"
        _sign_in(servers[OURS], credentials)
        for name in order:
            times["push", name].append(_copy(f"oci:{layout}", _image_at(servers[name]), credentials))
        for name in order:
            pulled = f"oci:{folder / name}-pulled"
            times["pull", name].append(_copy(_image_at(servers[name]), pulled, credentials))


def _sign_in(ours: Peer, credentials: Path) -> None:
    ours.client().create_repository(repositoryName="team/app")
    credentials.write_text(json.dumps({"auths": {ours.registry: {"auth": ours.authorization_token()}}}), "utf-8")


def _image_at(server: Peer) -> str:
    return f"docker://{server.registry}/team/app:v1"


def _copy(source: str, target: str, credentials: Path) -> float:
    """Seconds of one command."""
    command = ["skopeo", "copy", "--quiet", "--preserve-digests", f"--authfile={credentials}"]
    plain = ["--src-tls-verify=false", "--dest-tls-verify=false"]
    os.sync()
    started = time.perf_counter()
    subprocess.run([*command, *plain, source, target], check=True, timeout=600, env=without_proxies())  # noqa: S603
    return time.perf_counter() - started


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=512, help="size of the image")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--folder", type=Path, help="where the bytes go (default: the system's temporary folder)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
