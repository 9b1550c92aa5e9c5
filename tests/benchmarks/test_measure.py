"""The harness itself: its arithmetic, what it writes, its small HTTP, and the program that it seeds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.cli.keyring import unlock_database
from storage.core.database import Database
from storage.record import standings, verification
from storage.vault.operator_keys import read_operator_keys
from storage.vault.vault import Vault
from tests.benchmarks import people, processes
from tests.benchmarks.load import BadAnswer, Errand, latencies, rate, taken
from tests.benchmarks.measure import Figure, Goal, compared, percentile, write
from tests.benchmarks.seed import Size, fill
from tests.world import OPERATOR_KEY

LOWER = Goal("progress_p50", 3, "lower")
HIGHER = Goal("tap_rate", 2, "higher", "part")


def test_the_ratio_is_of_the_medians_and_the_target_has_a_direction() -> None:
    slow = Figure(LOWER, "sqlite", "ms", [9, 3, 6], [2, 1, 100])
    assert slow.ratio == 3
    assert slow.met
    assert not Figure(HIGHER, "", "requests/s", [150], [100]).met
    assert Figure(HIGHER, "", "requests/s", [200], [100]).met


async def test_rounds_take_turns_after_one_to_warm_up() -> None:
    tried: list[str] = []

    async def ours() -> float:
        tried.append("ours")
        return 2

    async def theirs() -> float:
        tried.append("theirs")
        return 1

    (figure,) = await compared(LOWER, "", "s", ours, theirs, 3)
    assert tried[:2] == ["ours", "theirs"]
    assert tried[2:] == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert (figure.product, figure.baseline) == ([2, 2, 2], [1, 1, 1])


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.99) == 99
    assert percentile(values, 0.5) == 50
    assert percentile([7.0], 0.99) == 7


def test_what_is_written_is_a_list_of_objects_without_anything_of_the_machine_but_its_facts(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    figures = [
        Figure(LOWER, "sqlite", "ms", [1.23456, 2], [1], {"deliveries": 198.76543}),
        Figure(HIGHER, "", "x", [1], [1]),
    ]
    write(figures, {"cores": 2}, file)
    first, second = json.loads(file.read_text())
    assert first == {
        "name": "progress_p50",
        "database": "sqlite",
        "ratio": 1.617,
        "target": 3,
        "better": "lower",
        "met": True,
        "unit": "ms",
        "product": 1.617,
        "baseline": 1,
        "rounds": {"product": [1.235, 2], "baseline": [1]},
        "more": {"deliveries": 198.8},
        "machine": {"cores": 2},
    }
    assert (second["part"], second["met"]) == ("part", False)


async def test_the_client_measures_answers_and_refuses_wrong_ones(tmp_path: Path) -> None:
    size = Size(mentees=10)
    async with processes.platform(tmp_path) as platform:
        asked = people.taps(size, platform.url)
        assert await rate(Errand(platform.port, taken(asked, 8), b'"ok"'), 4) > 0
        assert len(await latencies(Errand(platform.port, taken(asked, 3)))) == 3
        assert (await processes.counts(platform))["events"] == 11
        with pytest.raises(BadAnswer, match="holds no"):
            await latencies(Errand(platform.port, taken(asked, 1), b"Your progress"))


def test_a_seeded_program_has_chains_that_hold_and_standings(database_url: str) -> None:
    fill(database_url, Size(mentees=20, lines=6, moments=3))
    database = Database(database_url)
    try:
        key = unlock_database(database, Vault(read_operator_keys(OPERATOR_KEY)))
        with database.read() as tx:
            verdict = verification.verify(tx, key)
            assert (verdict.enrolments, verdict.lines, verdict.problems) == (20, 120, [])
            assert len(standings.of_cohorts(tx, None, datetime.now(UTC))) == 20
    finally:
        database.close()
