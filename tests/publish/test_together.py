"""What is asked for at once is done at once, and each is told what came of their own."""

import asyncio
from threading import Event

import pytest
from awaited import awaited

from cadran.publish import together
from cadran.publish.together import Together


@pytest.fixture
def batches():
    return []


@pytest.fixture
def twice(batches):
    """Twice each number; of one under 0 an exception, and none of any where one of them is 0."""

    def run(numbers):
        batches.append(numbers)
        if 0 in numbers:
            raise ZeroDivisionError
        return [ValueError(n) if n < 0 else 2 * n for n in numbers]

    return Together(run)


def gathered(*calls):
    async def run():
        return await asyncio.gather(*(call() for call in calls), return_exceptions=True)

    return awaited(run())


def of(run, *numbers):
    return [lambda n=n: run(n) for n in numbers]


def test_each_is_told_what_came_of_their_own(twice, batches):
    told = gathered(*of(twice, 1, -2, 3))

    assert (told[0], type(told[1]), told[2]) == (2, ValueError, 6)
    assert batches == [[1, -2, 3]]


def test_what_the_run_raises_is_told_to_all_of_it_and_the_next_goes_on(twice):
    assert [type(each) for each in gathered(*of(twice, 1, 0))] == [ZeroDivisionError] * 2
    assert gathered(*of(twice, 4)) == [8]


def test_what_comes_while_one_runs_waits_and_goes_together(batches):
    begun, go_on = Event(), Event()

    def run(numbers):
        batches.append(numbers)
        begun.set()
        assert go_on.wait(10)
        return numbers

    together = Together(run)

    async def later(number):
        await asyncio.to_thread(begun.wait)
        if number == 4:
            asyncio.get_running_loop().call_later(0.01, go_on.set)
        return await together(number)

    assert gathered(*of(together, 1), *of(later, 2, 3, 4)) == [1, 2, 3, 4]
    assert [sorted(each) for each in batches] == [[1], [2, 3, 4]]


def test_whoever_left_keeps_nobody_waiting(twice):
    async def left():
        task = asyncio.ensure_future(twice(1))
        await asyncio.sleep(0)
        task.cancel()

    assert gathered(left, *of(twice, 2)) == [None, 4]


def test_more_than_the_store_looks_up_at_once_go_one_batch_after_the_other(twice, batches, monkeypatch):
    monkeypatch.setattr(together, "MOST", 2)

    assert gathered(*of(twice, 1, 2, 3)) == [2, 4, 6]
    assert batches == [[1, 2], [3]]
