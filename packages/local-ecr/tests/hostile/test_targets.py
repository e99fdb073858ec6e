"""Readers of what a stranger wrote, fed by hypothesis everywhere and by atheris where there is one: x86_64."""

import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
ROOT = Path(__file__).parents[2]
SECONDS = 3
"""For each target; `make fuzz` takes as long as it is told."""


def seeds_of(target):
    return sorted(path.read_bytes() for path in (CORPUS / target).iterdir())


@cache
def mutated(target):
    """A seed of the corpus of which a piece was cut out, written anew or put in twice; or anything at all."""
    seeds = st.sampled_from(seeds_of(target))

    def change(seed, first, last, put):
        first, last = sorted((first % (len(seed) + 1), last % (len(seed) + 1)))
        return seed[:first] + (seed[first:last] * 2 if put is None else put) + seed[last:]

    places = st.integers(0, 4096)
    return st.builds(change, seeds, places, places, st.none() | st.binary(max_size=6)) | st.binary(max_size=60)


def test_every_target_has_a_corpus():
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_a_reader_takes_every_seed_of_its_corpus(target):
    for seed in [b"", *seeds_of(target)]:
        TARGETS[target](seed)


@settings(max_examples=40)
@given(data=st.data())
def test_a_reader_takes_or_refuses_whatever_it_is_sent(data):
    target = data.draw(st.sampled_from(sorted(TARGETS)))
    TARGETS[target](data.draw(mutated(target)))


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
@settings(max_examples=3000)
@given(data=st.data())
def test_a_reader_takes_or_refuses_whatever_it_is_sent_again_and_again(target, data):
    TARGETS[target](data.draw(mutated(target)))


if platform.machine() == "x86_64":

    @pytest.mark.slow
    @pytest.mark.parametrize("target", TARGETS)
    def test_a_reader_stands_a_fuzzer_that_sees_which_lines_it_reaches(target, tmp_path):
        found = tmp_path / "found"
        found.mkdir()
        options = [f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=1500", f"-artifact_prefix={tmp_path}/"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.hostile.fuzz", target, *options, found, CORPUS / target],
            cwd=ROOT,
            capture_output=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-3000:].decode(errors="replace")
        assert b"Done " in done.stderr
