"""Killed under load again and again: what was acknowledged is there, what was not is there whole or not at all."""

import os
import random
import signal
import statistics
import subprocess
import threading
import time

import pytest

from tests.durability.clients import Client
from tests.durability.folder import check_folder, rows
from tests.durability.ledger import Ledger
from tests.durability.process import ACCOUNT, AWAY, COMMAND, HOME, running

KILLS = 110
KILLS_AT_START = 15
CLIENTS = 4
REPLICATION = {
    "rules": [
        {
            "destinations": [{"region": AWAY, "registryId": ACCOUNT}],
            "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
            "deleteReplication": {"enabled": True},
        }
    ]
}


@pytest.fixture
def seed():
    """Of all that is random but the threads; LOCAL_ECR_SEED repeats one, and a failed test shows its own."""
    chosen = os.environ.get("LOCAL_ECR_SEED") or str(random.SystemRandom().randrange(10**9))
    print(f"LOCAL_ECR_SEED={chosen}")
    return chosen


def serve(data):
    return running(data, "--quirks", "ecr,-small_parts_refused,-blob_delete_unsupported", regions=(HOME, AWAY))


def begin(data, clients):
    with serve(data) as server:
        server.done("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")
        server.done("PutReplicationConfiguration", replicationConfiguration=REPLICATION)
        for client in clients:
            client.begin(server)


def load_until_killed(server, clients, seconds):
    threads = [threading.Thread(target=client.run, args=(server,)) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.kill()
    for thread in threads:
        thread.join(60)
    for client in clients:
        if client.failure is not None:
            raise client.failure


def kill_at_start(data, seconds):
    process = subprocess.Popen([*COMMAND, "--data", str(data)], stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    process.wait(20)


def wait_for_copies(data):
    deadline = time.monotonic() + 60
    while rows(data, "SELECT count(*) FROM replication WHERE status = 'IN_PROGRESS'") != [(0,)]:
        assert time.monotonic() < deadline, "copies are still under way"
        time.sleep(0.05)


def check_replica(ledger, server):
    """A replica comes to hold what its source does; what was under way when the last copy ended may take a moment."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return ledger.check_all(server, AWAY)
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_it_is_killed_under_load(tmp_path, seed, record_property):
    chance, starts = random.Random(seed), []  # noqa: S311  to be repeated
    clients = [Client(number, seed) for number in range(CLIENTS)]
    ledgers: list[Ledger] = [ledger for client in clients for ledger in client.ledgers]
    begin(tmp_path, clients)
    for kill in range(KILLS):
        with serve(tmp_path) as server:
            starts.append(server.seconds_to_start)
            for client in clients:
                client.settle(server)
            load_until_killed(server, clients, chance.uniform(0.02, 0.5))
        if kill % (KILLS // KILLS_AT_START) == 0:
            kill_at_start(tmp_path, chance.uniform(0, 0.25))

    with serve(tmp_path) as server:
        for client in clients:
            client.settle(server)
            for ledger in client.ledgers:
                ledger.check_all(server)
        wait_for_copies(tmp_path)
        for client in clients:
            check_replica(client.main, server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    check_folder(tmp_path)

    found = {
        "kills": KILLS + KILLS_AT_START,
        "acknowledged": sum(ledger.acknowledged for ledger in ledgers),
        "resumed": sum(client.resumed for client in clients),
        "restart_ms": round(statistics.median(starts) * 1000),
    }
    print(found)
    record_property("durability", found)
    assert found["acknowledged"] > 10 * KILLS, "too little was pushed to say anything"
    assert found["resumed"] > 5, "no upload was cut off"
