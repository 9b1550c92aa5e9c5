"""People who wait for an answer go before deliveries."""

from __future__ import annotations

import asyncio

from bot.runtime.admission import QUIET_SECONDS, AdmissionControl

LONG = 60.0  # seconds; nothing here waits for them


class Now:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def _turns(count: int) -> None:
    """Let the event loop go round so often."""
    for _ in range(count):
        await asyncio.sleep(0)


def _begin(waiting: AdmissionControl, begun: list[int], count: int, seconds: float = LONG) -> list[asyncio.Task[None]]:
    async def deliver(number: int) -> None:
        await waiting.wait_for_turn(seconds)
        begun.append(number)

    return [asyncio.create_task(deliver(number)) for number in range(count)]


async def test_in_a_lull_all_deliveries_begin_at_once() -> None:
    now, begun = Now(), list[int]()
    waiting = AdmissionControl(now)
    with waiting.answering():
        pass
    now.seconds += QUIET_SECONDS + 0.1

    _begin(waiting, begun, 3)
    await _turns(1)

    assert begun == [0, 1, 2]


async def test_no_delivery_begins_while_somebody_waits() -> None:
    waiting, begun = AdmissionControl(Now()), list[int]()
    with waiting.answering():
        with waiting.answering():
            tasks = _begin(waiting, begun, 3)
            await _turns(20)
        await _turns(20)
        assert begun == []

    await asyncio.gather(*tasks)
    assert begun == [0, 1, 2]


async def test_between_two_answers_they_begin_one_by_one() -> None:
    """So that the next one who asks waits for one of them, not for all."""
    waiting, begun = AdmissionControl(Now()), list[int]()
    with waiting.answering():
        tasks = _begin(waiting, begun, 3)
        await _turns(5)
    while not begun:
        await _turns(1)
    with waiting.answering():
        await _turns(20)
        assert len(begun) < 3

    await asyncio.gather(*tasks)
    assert begun == [0, 1, 2]


async def test_whoever_asks_without_end_does_not_hold_deliveries_for_ever() -> None:
    waiting, begun = AdmissionControl(Now()), list[int]()
    with waiting.answering():
        await asyncio.gather(*_begin(waiting, begun, 3, seconds=0.001))
        assert begun == [0, 1, 2]


async def test_where_no_time_is_given_nothing_stands_back() -> None:
    waiting, begun = AdmissionControl(Now()), list[int]()
    with waiting.answering():
        _begin(waiting, begun, 2, seconds=0)
        await _turns(1)
        assert begun == [0, 1]
