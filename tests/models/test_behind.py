"""Work behind the page, one thing after the other."""

import threading

import pytest

from cadran.models.behind import behind, told
from cadran.tables.problems import Problem


def test_work_that_needs_other_work_waits_for_it():
    begun = threading.Event()

    def inner():
        return 1

    def outer():
        begun.wait(5)
        return told(waiting, True) + told(behind(inner), True)

    found = behind(outer)
    waiting = behind(inner)  # asked for while the other is at work: in the queue behind it
    begun.set()

    assert found.result(timeout=5) == 2


def test_one_thing_at_a_time():
    at_work, most = [], []

    def work():
        at_work.append(1)
        most.append(len(at_work))
        threading.Event().wait(0.01)
        at_work.pop()

    for future in [behind(work) for _ in range(5)]:
        future.result(timeout=5)

    assert max(most) == 1


def test_nothing_is_told_before_it_is_there():
    hold = threading.Event()
    future = behind(lambda: hold.wait(5))

    assert told(future, False) is None
    hold.set()
    assert told(future, True) is True


def test_a_problem_is_told_to_who_asks():
    def refuse():
        raise Problem("No.", "Ask for something else.")

    with pytest.raises(Problem):
        told(behind(refuse), True)


def test_a_panic_of_a_library_is_told_too_and_keeps_nobody_waiting():
    class Panic(BaseException):
        """As polars raises where it breaks: no `Exception`."""

    def break_down():
        raise Panic

    with pytest.raises(Panic):
        behind(break_down).result(timeout=5)
    assert behind(lambda: 1).result(timeout=5) == 1
