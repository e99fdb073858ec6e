"""Measure again: `make compare MINISTACK=PROGRAM` writes docs/measured.json and comparison.md.

MiniStack is not among our dependencies: install it somewhere else (`python3 -m venv DIR && DIR/bin/pip install
ministack`) and name its program. Without it, what was measured of it before stays.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import tempfile
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from comparing import servers
from comparing.behaviours import client_at, measure_behaviours
from comparing.data_plane import measure_data_plane
from comparing.operations import ACCOUNT, measure_operations
from comparing.page import MEASURED, PAGE, comparison_page
from lab import peers

HOST = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"


def measure_local_ecr(folder: Path) -> dict[str, Any]:
    with servers.local_ecr(folder) as (server, events):
        client_of = client_at(server.endpoint_url, servers.credentials_of_account)
        registry = server.registry_url(ACCOUNT, servers.REGIONS[0])
        with server.ecr.background.paused():  # a backfill of one image is over before anybody could stop it
            operations = measure_operations(client_of())
        client = client_of()
        found = {"operations": operations, "behaviours": measure_behaviours(client_of, events)}
        return {**found, "version": "this commit", "data plane": measure_data_plane(registry, _token(client), client)}


def measure_moto(folder: Path) -> dict[str, Any]:
    with peers.moto(folder) as peer:
        found = _measure_api(client_at(peer.endpoint, partial(servers.credentials_from_moto, peer.endpoint)))
        return {**found, "version": version("moto"), "data plane": {}}


def measure_ministack(folder: Path, program: str) -> dict[str, Any]:
    with servers.ministack(folder, program) as url:
        client_of = client_at(url, servers.credentials_of_account)
        found = _measure_api(client_of)
        data_plane = measure_data_plane(url, _token(client_of()), client_of(), HOST)
        pip = [
            str(Path(program).with_name("python")),
            "-c",
            "import importlib.metadata as m; print(m.version('ministack'))",
        ]
        known = subprocess.run(pip, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
        return {**found, "version": known, "data plane": data_plane}


def measure_distribution(folder: Path) -> dict[str, Any]:
    with peers.distribution(folder) as peer:
        said = subprocess.run(["docker-registry", "--version"], check=True, capture_output=True, text=True).stdout  # noqa: S607
        return {"version": said.split()[-1], "data plane": measure_data_plane(f"http://{peer.registry}", "")}


def _measure_api(client_of: Any) -> dict[str, Any]:
    return {"operations": measure_operations(client_of()), "behaviours": measure_behaviours(client_of)}


def _token(client: Any) -> str:
    token: str = client.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    base64.b64decode(token, validate=True)
    return token


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m comparing", description=__doc__)
    parser.add_argument("--ministack", help="the program of an installed MiniStack")
    options = parser.parse_args()
    known = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.exists() else {}
    measures = {"local_ecr": measure_local_ecr, "moto": measure_moto, "distribution": measure_distribution}
    if options.ministack:
        measures["ministack"] = partial(measure_ministack, program=options.ministack)
    for name, measure in measures.items():
        with tempfile.TemporaryDirectory(prefix=f"compare-{name}-") as folder:
            known[name] = {"date": f"{datetime.now(UTC):%Y-%m-%d}", **measure(Path(folder))}
    MEASURED.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(comparison_page(known), encoding="utf-8")


if __name__ == "__main__":
    main()
