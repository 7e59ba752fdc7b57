"""Random bytes drawn ahead: never the same ones twice."""

from __future__ import annotations

import os
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
    """After a fork parent and child give different bytes."""
    random = RandomBytes()
    random.take(1)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, random.take(12))
        os._exit(0)
    os.waitpid(child, 0)
    of_child = os.read(read, 12)
    os.close(read)
    os.close(write)
    assert len(of_child) == 12
    assert of_child != random.take(12)
