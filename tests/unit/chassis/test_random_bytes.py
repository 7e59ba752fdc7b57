"""Random bytes drawn ahead: never the same ones twice."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from chassis.random_bytes import RandomBytes


def test_no_bytes_are_given_twice_whichever_threads_ask() -> None:
    """Four threads take nonces at the same time."""
    random = RandomBytes()
    with ThreadPoolExecutor(4) as pool:
        taken = [each for part in pool.map(lambda _: [random.take(12) for _ in range(5000)], range(4)) for each in part]
    assert {len(each) for each in taken} == {12}
    assert len(set(taken)) == len(taken)


def test_more_than_is_drawn_ahead() -> None:
    """A large piece comes whole."""
    random = RandomBytes()
    random.take(12)
    assert len(set(random.take(10_000))) == 256


def test_a_child_process_draws_its_own() -> None:
    """After a fork parent and child give different bytes. In a process of its own: pytest's has threads."""
    code = (
        "import os; from chassis.random_bytes import RANDOM; RANDOM.take(1); read, write = os.pipe()\n"
        "if os.fork() == 0: os.write(write, RANDOM.take(12)); os._exit(0)\n"
        "os.wait(); print(os.read(read, 12).hex(), RANDOM.take(12).hex())"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    of_child, of_parent = output.split()
    assert (len(of_child), len(of_parent)) == (24, 24)
    assert of_child != of_parent
