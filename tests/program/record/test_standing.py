"""Standings, worked by hand: each kind of rule, and everything that changes what counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from program.meetings.attendance import Entry, marks
from program.record import explain
from program.record.calendar import Calendar
from program.record.ledger import Record
from program.record.policy_reading import amend
from program.record.standing import State
from storage.record import policies
from tests.program.record.ledger import MEETINGS, Ledger, of, policy_of, requirement_of, rule, shape, weekly

EXAMPLE = policies.shipped(policies.EXAMPLE)
DESE = policies.shipped(policies.MISSOURI)
TODAY = date(2025, 11, 21)
FALL = date(2025, 9, 4)
STRICT = "[attendance]\npartial_counts = false\nunconfirmed_counts = false\nlate_after_minutes = 10\n"
MAKEUPS = '[makeups]\napprover = "mentor"\nactivities = ["contact"]\ndeadline_days = 30\nper_year = 1\n'
LEAVE = '[leave]\napprover = "coordinator"\nreasons = { health = "Health" }\npauses_year_from_days = 90\n'


def ledger(*sections: str, starts: date = date(2025, 7, 1), track: str = "", history_missing: bool = False) -> Ledger:
    return Ledger(policy_of(*(sections or (MEETINGS,))), starts, track, history_missing)


# Meetings ----------------------------------------------------------------------------------------


def test_have_need_and_missing() -> None:
    mine = ledger()
    for day in weekly(FALL, 3):
        mine.attends(day)
    mine.meets(date(2026, 1, 8), date(2026, 2, 5))
    standing = mine.on(TODAY)
    first = requirement_of(standing, "meetings")
    assert (first.have, first.need, first.missing, first.due) == (3, 4, 1, date(2026, 6, 30))
    assert (first.coming, standing.state) == (2, "on track")
    assert requirement_of(standing, "meetings", 2).missing == 4


def test_complete_when_everything_is_met() -> None:
    mine = ledger()
    for day in [*weekly(FALL, 4), *weekly(date(2026, 9, 3), 4)]:
        mine.attends(day)
    standing = mine.on(date(2026, 12, 1))
    assert (standing.state, standing.finish) == ("complete", date(2026, 9, 24))


def test_completion_may_have_to_wait_for_the_end() -> None:
    late = policy_of(
        completion='[completion]\napprover="coordinator"\ncertificate=["name"]\nearliest="end of program"\n'
    )
    mine = Ledger(late)
    for day in [*weekly(FALL, 4), *weekly(date(2026, 9, 3), 4)]:
        mine.attends(day)
    assert (mine.on(date(2027, 6, 30)).state, mine.on(date(2027, 7, 1)).state) == ("on track", "complete")
    assert mine.on(date(2027, 6, 30)).finish == date(2027, 7, 1)


@pytest.mark.parametrize(
    ("absent", "coming", "state"),
    [(0, 4, "on track"), (1, 4, "at risk"), (1, 5, "on track"), (1, 3, "behind"), (4, 0, "behind"), (0, 0, "on track")],
)
def test_what_was_let_pass_and_what_still_comes(absent: int, coming: int, state: State) -> None:
    mine = ledger()
    for day in weekly(FALL, absent):
        mine.attends(day, "absent")
    mine.meets(*weekly(date(2026, 1, 8), coming))
    assert mine.on(TODAY).state == state


def test_nobody_is_behind_for_a_cohort_that_meets_too_seldom() -> None:
    mine = ledger()
    mine.attends(FALL)
    mine.meets(date(2026, 1, 8))
    standing = mine.on(TODAY)
    assert standing.state == "on track"
    assert [(short.rule, short.need, short.possible) for short in standing.too_few] == [("meetings", 4, 2)]
    assert Calendar(mine.meetings).shortages(mine.policy, TODAY) == standing.too_few
    after = mine.on(date(2026, 8, 1))  # the year ended with what there was
    assert (requirement_of(after, "meetings").short, requirement_of(after, "meetings").outcome) == (2, "at risk")
    mine.attends(date(2026, 2, 5), "absent")
    assert mine.on(date(2026, 8, 1)).state == "behind"


def test_a_past_year_with_missing_meetings_is_behind() -> None:
    mine = ledger()
    for day in weekly(FALL, 4):
        mine.attends(day, "excused")
    standing = mine.on(date(2026, 8, 1))
    assert (standing.state, standing.finish) == ("behind", None)
    assert "Year 1 (2025-26): 4 meetings to go, but the year is over." in explain.missing(standing)


def test_a_meeting_without_entries_is_nobodys_absence() -> None:
    mine = ledger()
    mine.meets(*weekly(FALL, 4))
    assert mine.on(TODAY).state == "on track"
    assert mine.on(date(2026, 7, 1)).state == "at risk"  # the mentor can still confirm them


def test_a_tap_counts_only_if_the_policy_says_so() -> None:
    for said, have in (("false", 0), ("true", 1), ('"unset"', 0)):
        attendance = f"[attendance]\npartial_counts = true\nunconfirmed_counts = {said}\n"
        mine = Ledger(policy_of(attendance=attendance))
        mine.attends(FALL, step="tapped")
        assert requirement_of(mine.on(TODAY), "meetings").have == have
    assert ("the program hasn't set this yet: whether “I'm here” counts") in " ".join(
        explain.why(requirement_of(mine.on(TODAY), "meetings"))
    )


@pytest.mark.parametrize(("present", "have"), [(50, 1), (49, 0), (None, 0), (60, 1)])
def test_a_little_late_is_present_and_more_is_partly_there(present: int | None, have: int) -> None:
    mine = Ledger(policy_of(attendance=STRICT))
    mine.attends(FALL, "partial", present=present)
    assert requirement_of(mine.on(TODAY), "meetings").have == have


def test_partly_there_gives_its_minutes() -> None:
    mine = ledger(rule(unit="minutes", at_least=100))
    mine.attends(FALL, "partial", present=25)
    mine.attends(FALL + timedelta(days=7))
    assert requirement_of(mine.on(TODAY), "rule").have == 85


def test_too_many_absences() -> None:
    mine = Ledger(policy_of(MEETINGS, attendance=STRICT + "maximum_absences = 1\n"))
    for day in weekly(FALL, 2):
        mine.attends(day, "absent")
    mine.attends(date(2025, 10, 2), "excused")
    mine.meets(*weekly(date(2026, 1, 8), 10))
    standing = mine.on(TODAY)
    assert (standing.state, requirement_of(standing, "absences").have) == ("behind", 2)
    assert "Year 1 (2025-26), Absences: 2 so far. The limit is 1." in explain.missing(standing)
    mine.waives("absences", 1, 1)
    assert mine.on(TODAY).state == "on track"


# Other rules -------------------------------------------------------------------------------------


def test_minutes_over_the_whole_program() -> None:
    mine = ledger(rule(unit="minutes", at_least=180, per="program", activities=["meeting", "contact"]))
    mine.attends(FALL)
    mine.logs("contact", date(2026, 9, 1), 45)
    mine.logs("contact", date(2026, 9, 2), 400)  # 90 at most count at once
    standing = mine.on(date(2026, 10, 1))
    assert requirement_of(standing, "rule", None).have == 195
    assert standing.state == "complete"


def test_caps_hold_for_one_requirement_in_its_period() -> None:
    events = ledger(rule(id="events", activities=["workshop"], at_least=3))
    minutes = ledger(rule(id="events", activities=["workshop"], at_least=200, unit="minutes"))
    for mine in (events, minutes):
        for day in weekly(FALL, 3):
            mine.logs("workshop", day, 80)
    assert requirement_of(events.on(TODAY), "events").have == 2
    assert requirement_of(minutes.on(TODAY), "events").have == 100


def test_distinct_months_and_topics() -> None:
    mine = ledger(rule(id="months", unit="months", at_least=2), rule(id="topics", unit="topics", at_least=3))
    mine.attends(date(2025, 9, 1), topics=["ethics", "career"])
    mine.attends(date(2025, 9, 30), topics=["ethics"])
    mine.attends(date(2025, 10, 1))
    standing = mine.on(TODAY)
    assert (requirement_of(standing, "months").have, requirement_of(standing, "topics").have) == (2, 2)


def test_distinct_weeks_begin_on_monday() -> None:
    mine = ledger(rule(id="weeks", unit="weeks", at_least=30))
    for day in (date(2025, 9, 1), date(2025, 9, 7), date(2025, 9, 8)):  # Monday, Sunday, Monday
        mine.attends(day)
    assert requirement_of(mine.on(TODAY), "weeks").have == 2


def test_each_semester() -> None:
    mine = ledger(rule(per="semester", activities=["contact"], at_least=2))
    for day in (date(2025, 9, 1), date(2025, 12, 31), date(2026, 1, 1)):
        mine.logs("contact", day)
    first, second = of(mine.on(date(2026, 2, 1)), "rule")
    assert (first.have, first.outcome, second.have, second.outcome) == (2, "met", 1, "open")


def test_each_month_that_is_asked() -> None:
    mine = Ledger(shape("delaware"))
    for month in (9, 10):
        mine.logs("contact", date(2025, month, 10))
    standing = mine.on(date(2025, 12, 2))
    months = of(standing, "monthly")
    assert [(item.period.label, item.outcome) for item in months[:4]] == [
        ("September 2025", "met"),
        ("October 2025", "met"),
        ("November 2025", "behind"),
        ("December 2025", "open"),
    ]
    assert len(months) == 9
    assert "Monthly contact: 2 of 9 met. To do: November 2025 and December 2025." in " ".join(explain.missing(standing))


def test_each_of_the_first_weeks_counts_from_the_start() -> None:
    mine = ledger(rule(per="week", first_weeks=4, activities=["contact"]), starts=date(2025, 9, 10))
    for day in (date(2025, 9, 10), date(2025, 9, 16), date(2025, 9, 17)):
        mine.logs("contact", day)
    weeks = of(mine.on(date(2025, 9, 29)), "rule")
    assert [(week.period.label, week.outcome) for week in weeks] == [
        ("Week 1", "met"),
        ("Week 2", "met"),
        ("Week 3", "open"),
        ("Week 4", "open"),
    ]
    assert of(mine.on(TODAY), "rule", 2) == []


def test_named_items() -> None:
    mine = Ledger(shape("delaware"))
    mine.logs("development", date(2025, 9, 1), item="orientation")
    mine.logs("development", date(2025, 9, 2), item="orientation")
    cycle = requirement_of(mine.on(TODAY), "cycle", None)
    assert (cycle.have, cycle.need, cycle.lacking) == (1, 2, ("Final conversation with the mentor",))


CHOICE = """
[[rule]]
kind = "choose"
id = "choice"
name = "Choice"
rules = ["a", "b", "c"]
at_least = {number}
per = "year"
"""


@pytest.mark.parametrize(
    ("number", "done", "met"),
    [("1", 1, True), ("2", 1, False), ("2", 2, True), ('"all"', 2, False), ('"all"', 3, True)],
)
def test_any_of_all_of_and_k_of_n(number: str, done: int, met: bool) -> None:
    parts = [rule(id=name, activities=[what]) for name, what in (("a", "meeting"), ("b", "contact"), ("c", "workshop"))]
    mine = ledger(*parts, CHOICE.replace("{number}", number))
    if done >= 1:
        mine.attends(FALL)
    if done >= 2:
        mine.logs("contact", FALL)
    if done >= 3:
        mine.logs("workshop", FALL)
    standing = mine.on(TODAY)
    assert (requirement_of(standing, "choice").outcome == "met") is met
    assert [item.rule for item in standing.years[0].requirements] == ["choice"]  # its parts stand inside of it


def test_a_choice_over_the_program_asks_for_the_part_in_every_year() -> None:
    mine = ledger(
        rule(id="a"), CHOICE.replace("{number}", "1").replace('"year"', '"program"').replace(', "b", "c"', "")
    )
    mine.attends(FALL)
    assert requirement_of(mine.on(TODAY), "choice", None).outcome == "open"
    mine.attends(date(2026, 9, 1))
    assert mine.on(date(2026, 9, 2)).state == "complete"


def test_vermonts_shape_is_read_and_blocked_by_its_hour_log() -> None:
    mine = Ledger(shape("vermont"), starts=date(2025, 9, 1))
    for month in (9, 10):
        for day in (1, 15):
            mine.logs("conversation", date(2025, month, day), 45)
    mine.logs("conversation", date(2025, 10, 20), 10)  # too short
    mine.logs("visit", date(2025, 10, 20))
    standing = mine.on(date(2025, 11, 2))
    assert standing.state == "blocked"
    assert requirement_of(standing, "log").have == 120
    assert requirement_of(standing, "seeing").outcome == "met"
    assert [item.outcome for item in of(standing, "twice")[:3]] == ["met", "met", "open"]
    filled = Ledger(amend(mine.policy, {"rule.log.at_least": 120}), mine.starts, record=mine.record)
    assert filled.on(date(2025, 11, 2)).state == "on track"


# What does not count -----------------------------------------------------------------------------


def test_activities_that_do_not_count_say_why() -> None:
    mine = ledger(rule(activities=["contact"], at_least=9))
    mine.logs("contact", FALL, 10)
    mine.logs("contact", FALL, mode="letter")
    mine.logs("contact", FALL, verified=False)
    mine.logs("contact", date(2025, 6, 30))
    mine.logs("contact", FALL, withdrawn=True)
    mine.logs("contact", TODAY + timedelta(days=1))
    mine.logs("tea", FALL)
    requirement = requirement_of(mine.on(TODAY), "rule")
    assert requirement.have == 0
    assert [(item.verdict, item.why) for item in requirement.others] == [
        ("no", "shorter than 15 minutes"),
        ("no", "the policy doesn't allow this way of doing it"),
        ("pending", "waiting for the mentor to verify it"),
    ]


def test_what_came_before_the_start_does_not_count() -> None:
    mine = ledger(starts=date(2025, 9, 1))
    mine.attends(date(2025, 8, 31))
    mine.attends(date(2025, 9, 1))
    requirement = requirement_of(mine.on(TODAY), "meetings")
    assert (requirement.have, [item.why for item in requirement.others]) == (1, ["before the program start"])


# Make-ups ----------------------------------------------------------------------------------------


def made_up(*sections: str) -> Ledger:
    mine = ledger(MEETINGS, *sections)
    for day in weekly(FALL, 3):
        mine.attends(day)
    return mine


def test_a_make_up_stands_for_the_missed_meeting() -> None:
    mine = made_up(MAKEUPS)
    missed = mine.attends(date(2025, 10, 2), "absent")
    before = mine.on(date(2025, 10, 20))
    assert before.state == "at risk"
    assert explain.headline(before) == "At risk: make up the October 2 meeting by November 1. Send “makeup”."
    assert explain.summary(before)[1] == ["1 more meeting by June 30, 2026."]
    assert explain.headline(before, "Maria Lopez") == (
        "At risk: Maria Lopez can make up the October 2 meeting until November 1."
    )
    mine.makes_up(missed, "contact", date(2025, 10, 20))
    requirement = requirement_of(mine.on(date(2025, 10, 20)), "meetings")
    assert (requirement.have, requirement.outcome) == (4, "met")
    assert "October 2, 2025: meeting counts (made up)." in explain.why(requirement)


@pytest.mark.parametrize(
    ("type_", "day", "minutes", "other", "why"),
    [
        ("workshop", 20, 30, {}, "make-up: this can't be used as a make-up"),
        ("contact", 20, 5, {}, "make-up: shorter than 15 minutes"),
        ("contact", 40, 30, {}, "make-up: it was after the deadline for make-ups"),
        ("contact", 20, 30, {"approved": False}, "waiting for approval of the make-up"),
    ],
)
def test_a_make_up_that_does_not_count(type_: str, day: int, minutes: int, other: dict[str, bool], why: str) -> None:
    mine = made_up(MAKEUPS)
    missed = mine.attends(date(2025, 10, 2), "absent")
    mine.makes_up(missed, type_, date(2025, 10, 2) + timedelta(days=day), minutes, **other)
    requirement = requirement_of(mine.on(TODAY), "meetings")
    assert requirement.have == 3
    assert why in [item.why for item in requirement.others]


def test_make_ups_are_limited_and_for_what_was_missed() -> None:
    mine = made_up(MAKEUPS)
    first = mine.attends(date(2025, 10, 2), "absent")
    second = mine.attends(date(2025, 10, 3), "excused")
    for meeting in (first, first, second):
        mine.makes_up(meeting, "contact", date(2025, 10, 20))
    mine.makes_up(mine.attends(date(2025, 10, 9)), "contact", date(2025, 10, 20))
    requirement = requirement_of(mine.on(TODAY), "meetings")
    assert requirement.have == 5  # three, the first make-up, and the meeting that was attended anyway
    whys = [item.why for item in requirement.others]
    assert "missed, and no make-ups are left this year" in whys
    assert "make-up: there was no missed meeting to make up" in whys


def test_two_make_ups_for_one_meeting() -> None:
    mine = made_up(MAKEUPS + "ratio = 2\n")
    missed = mine.attends(date(2025, 10, 2), "absent")
    mine.makes_up(missed, "contact", date(2025, 10, 20))
    assert requirement_of(mine.on(TODAY), "meetings").have == 3
    mine.makes_up(missed, "contact", date(2025, 10, 21))
    assert requirement_of(mine.on(TODAY), "meetings").have == 4


def test_a_make_up_in_the_next_program_year_needs_the_policys_word() -> None:
    for said, have in (("true", 0), ("false", 1), ('"unset"', 0)):
        mine = ledger(MEETINGS, f"{MAKEUPS}same_program_year = {said}\n")
        missed = mine.attends(date(2026, 6, 20), "absent")
        mine.makes_up(missed, "contact", date(2026, 7, 2))
        assert requirement_of(mine.on(date(2026, 7, 3)), "meetings").have == have


def test_a_make_up_gives_no_more_minutes_than_were_missed() -> None:
    mine = ledger(rule(unit="minutes", at_least=500), MAKEUPS)
    missed = mine.attends(FALL, "absent", minutes=60)
    mine.makes_up(missed, "contact", FALL + timedelta(days=1), 90)
    partly = mine.attends(FALL + timedelta(days=7), "partial", present=40)
    mine.makes_up(partly, "contact", FALL + timedelta(days=8), 90)
    assert requirement_of(mine.on(TODAY), "rule").have == 120


def test_a_make_up_is_not_counted_as_an_activity_too() -> None:
    mine = ledger(MEETINGS, rule(activities=["contact"], at_least=5), MAKEUPS)
    missed = mine.attends(FALL, "absent")
    id_ = mine.makes_up(missed, "contact", FALL + timedelta(days=1))
    mine.logs("contact", FALL + timedelta(days=1))
    mine.record = replace(mine.record, activities=(replace(mine.record.activities[0], id=id_),))
    standing = mine.on(TODAY)
    assert (requirement_of(standing, "meetings").have, requirement_of(standing, "rule").have) == (1, 0)


# Credit, waiver, track ---------------------------------------------------------------------------


def test_credit_and_waiver() -> None:
    mine = ledger()
    mine.attends(FALL)
    mine.credits("meetings", 2, 1)
    requirement = requirement_of(mine.on(TODAY), "meetings")
    assert (requirement.have, requirement.credited, requirement.missing) == (1, 2, 1)
    mine.waives("meetings", 1, 1)
    assert requirement_of(mine.on(TODAY), "meetings").outcome == "met"
    mine.waives("meetings", 2)
    assert mine.on(TODAY).state == "complete"


def test_a_waiver_holds_from_its_day() -> None:
    mine = ledger()
    mine.waives("meetings", None, None, since=date(2026, 7, 1))
    standing = mine.on(TODAY)
    assert (requirement_of(standing, "meetings").missing, requirement_of(standing, "meetings", 2).missing) == (4, 0)


def test_credit_for_months_goes_to_the_earliest_that_is_missing() -> None:
    mine = Ledger(shape("delaware"))
    mine.logs("contact", date(2025, 9, 9))
    mine.credits("monthly", 2, 1)
    months = of(mine.on(date(2025, 12, 31)), "monthly")
    assert [item.credited for item in months[:4]] == [0, 1, 1, 0]


TRACKS = """
[[track]]
id = "half"
name = "Part-time"
scale_percent = 50
[[track]]
id = "mid-year"
name = "Mid-year"
joining_mid_year = "scaled"
[[track]]
id = "prior"
name = "Prior credit"
years = 1
credit = [{ rule = "meetings", amount = 3, year = 1 }]
[[track]]
id = "open"
name = "Open"
scale_percent = "unset"
"""


@pytest.mark.parametrize(
    ("track", "starts", "needs"),
    [
        ("", date(2025, 7, 1), [4, 4]),
        ("half", date(2025, 7, 1), [2, 2]),
        ("Part-time", date(2025, 7, 1), [2, 2]),
        ("half", date(2026, 3, 1), [2, 2]),
        ("", date(2026, 3, 1), [4, 4]),  # joining in the middle scales nothing by itself
        ("mid-year", date(2026, 3, 1), [2, 4]),
        ("mid-year", date(2025, 7, 1), [4, 4]),
        ("open", date(2025, 7, 1), [None, None]),
    ],
)
def test_tracks_scale_the_numbers(track: str, starts: date, needs: list[int | None]) -> None:
    mine = ledger(MEETINGS, TRACKS, starts=starts, track=track)
    standing = mine.on(starts)
    assert [requirement_of(standing, "meetings", year).need for year in (1, 2)] == needs


def test_prior_credit_and_a_track_of_one_year() -> None:
    mine = ledger(MEETINGS, TRACKS, track="prior")
    mine.attends(FALL)
    standing = mine.on(TODAY)
    assert (len(standing.years), requirement_of(standing, "meetings").credited, standing.state) == (1, 3, "complete")


def test_another_tracks_unset_number_blocks_nobody() -> None:
    assert ledger(MEETINGS, TRACKS, track="half").on(TODAY).state == "on track"
    assert ledger(MEETINGS, TRACKS, track="open").on(TODAY).unset == (
        "track Open: the percentage of each number that is required",
    )


def test_an_unknown_track_blocks_and_is_named() -> None:
    standing = ledger(MEETINGS, TRACKS, track="mystery").on(TODAY)
    assert standing.state == "blocked"
    assert "the track “mystery”" in " ".join(explain.unset(standing))


# Leave, gap, transfer ----------------------------------------------------------------------------


def test_on_leave_nothing_is_due() -> None:
    mine = ledger(MEETINGS, LEAVE)
    mine.attends(FALL, "absent")
    mine.leaves(date(2025, 11, 1), date(2025, 11, 30))
    standing = mine.on(TODAY)
    assert (standing.state, standing.on_leave_until) == ("paused", date(2025, 11, 30))
    assert explain.headline(standing) == (
        "On leave until November 30, 2025. Nothing is due during the leave. Everything done before still counts."
    )
    mine.leaves(date(2025, 11, 15))
    assert "On leave." in explain.headline(mine.on(TODAY))


def test_a_long_leave_pauses_the_year_and_credit_stays() -> None:
    mine = ledger(MEETINGS, LEAVE)
    for day in weekly(FALL, 3):
        mine.attends(day)
    mine.leaves(date(2026, 1, 1), date(2026, 6, 30))
    standing = mine.on(date(2026, 8, 1))
    assert [(year.label, year.ends) for year in standing.years] == [
        ("Year 1 (2025-27)", date(2027, 6, 30)),
        ("Year 2 (2027-28)", date(2028, 6, 30)),
    ]
    assert (requirement_of(standing, "meetings").have, standing.state) == (3, "on track")


def test_a_short_leave_lets_off_the_months_it_takes() -> None:
    mine = ledger(rule(per="month", in_months=[9, 10, 11], activities=["contact"]), LEAVE)
    mine.leaves(date(2025, 10, 10), date(2025, 11, 10))
    labels = [item.period.label for item in of(mine.on(date(2025, 12, 1)), "rule")]
    assert labels == ["September 2025", "November 2025"]


def test_what_was_done_in_a_paused_year_fills_what_is_missing_after_it() -> None:
    mine = ledger(rule(per="month", in_months=[9, 10], activities=["contact"]), LEAVE)
    mine.logs("contact", date(2025, 9, 5))
    mine.leaves(date(2025, 10, 1), date(2026, 6, 30))
    requirements = of(mine.on(date(2026, 8, 1)), "rule")
    assert [(item.period.label, item.credited, item.missing) for item in requirements] == [
        ("September 2026", 1, 0),
        ("October 2026", 0, 1),
    ]


def test_meetings_during_a_leave_are_no_chance_that_was_let_pass() -> None:
    mine = ledger(MEETINGS, LEAVE)
    mine.leaves(date(2025, 9, 1), date(2025, 10, 31))
    mine.meets(*weekly(FALL, 4), date(2026, 2, 1))
    standing = mine.on(date(2025, 12, 1))
    assert (standing.state, requirement_of(standing, "meetings").short) == ("on track", 3)


def test_a_leave_that_is_too_long_begins_the_program_anew() -> None:
    mine = ledger(MEETINGS, LEAVE + "credit_expires_after_days = 365\n")
    mine.attends(FALL)
    mine.leaves(date(2025, 10, 1), date(2027, 8, 31))
    standing = mine.on(date(2027, 9, 15))
    assert [year.label for year in standing.years] == ["Year 1 (2027-28)", "Year 2 (2028-29)"]
    assert requirement_of(standing, "meetings").have == 0


def test_the_whole_program_has_its_latest_day() -> None:
    mine = ledger(MEETINGS, LEAVE + "maximum_years = 3\n")
    assert mine.on(TODAY).must_finish == date(2028, 6, 30)
    mine.leaves(date(2025, 8, 1), date(2028, 6, 1))
    assert mine.on(date(2028, 6, 30)).state == "on track"
    late = mine.on(date(2028, 7, 1))
    assert late.state == "behind"
    assert explain.headline(late) == "Behind: the deadline to finish was June 30, 2028."


@pytest.mark.parametrize(("stays", "have"), [("true", 2), ("false", 1)])
def test_credit_and_a_transfer(stays: str, have: int) -> None:
    mine = ledger(MEETINGS, f'[transfer]\napprover = "coordinator"\ncredit_stays = {stays}\n')
    mine.attends(FALL)
    mine.transfers(date(2025, 10, 1))
    mine.attends(date(2025, 10, 2))
    assert requirement_of(mine.on(TODAY), "meetings").have == have


# Unset, history ----------------------------------------------------------------------------------


def test_an_unset_number_never_passes() -> None:
    mine = Ledger(DESE)
    for day in weekly(FALL, 50):
        mine.attends(day)
    standing = mine.on(date(2026, 8, 30))
    assert (standing.state, standing.finish) == ("blocked", None)
    assert "Year 1 (2025-26): 43 meetings attended; the number required isn't set yet." in explain.missing(standing)
    assert explain.unset(standing)[0].startswith("The program hasn't set: the day this policy starts")


def test_filled_in_by_amendments_a_policy_judges() -> None:
    values: dict[str, int | str | bool] = {value.path: "none" for value in DESE.unset}
    values |= {
        "rule.meetings.at_least": 4,
        "attendance.partial_counts": True,
        "effective_from": "2018-07-01",
        "makeups.ratio": 1,
        "completion.earliest": "when met",
    }
    mine = Ledger(amend(DESE, values))
    for day in [*weekly(FALL, 4), *weekly(date(2026, 9, 3), 4)]:
        mine.attends(day)
    assert mine.on(date(2026, 12, 1)).state == "complete"


def test_any_unset_value_blocks_completion_though_every_number_is_met() -> None:
    mine = Ledger(policy_of(MEETINGS, MAKEUPS + 'ratio = "unset"\n'))
    for day in [*weekly(FALL, 4), *weekly(date(2026, 9, 3), 4)]:
        mine.attends(day)
    standing = mine.on(date(2026, 12, 1))
    assert standing.state == "blocked"
    assert standing.unset == ("how many make-ups replace one missed meeting",)


def test_what_an_unset_value_decides_puts_nobody_behind() -> None:
    mine = Ledger(policy_of(attendance='[attendance]\npartial_counts = "unset"\nunconfirmed_counts = false\n'))
    for day in weekly(FALL, 4):
        mine.attends(day, "partial", present=30)
    assert requirement_of(mine.on(date(2026, 8, 1)), "meetings").outcome == "blocked"


def test_without_earlier_records_nobody_is_behind() -> None:
    mine = ledger(history_missing=True)
    for day in weekly(FALL, 4):
        mine.attends(day, "absent")
    standing = mine.on(date(2026, 8, 1))
    assert standing.state == "history not imported"
    assert "hasn't been imported yet" in explain.headline(standing)


# Finish, sentences -------------------------------------------------------------------------------


def test_the_projected_finish() -> None:
    mine = ledger()
    for day in weekly(FALL, 4):
        mine.attends(day)
    assert mine.on(TODAY).finish == date(2027, 6, 30)  # nothing is scheduled yet in the second year
    mine.meets(*weekly(date(2026, 9, 3), 6))
    assert mine.on(TODAY).finish == date(2026, 9, 24)
    assert explain.headline(mine.on(TODAY), "Maria") == "On track. Expected to finish by September 24, 2026."


def test_a_standing_explains_itself() -> None:
    mine = Ledger(EXAMPLE)
    mine.attends(FALL)
    mine.attends(date(2025, 9, 18), "absent")
    mine.attends(date(2025, 10, 2), step="tapped")
    mine.meets(*weekly(date(2025, 12, 4), 8, 14))
    mine.logs("contact", date(2025, 10, 3), verified=False)
    assert explain.summary(mine.on(date(2025, 11, 1))) == (
        "You'll finish by June 30, 2027 if you keep attending.",
        [
            "7 more meetings by June 30, 2026.",
            "2 more one-to-one contacts by June 30, 2026.",
            "You can make up the September 18 meeting until November 17. Send “makeup”.",
            "PLC meeting, October 2, 2025: waiting for your mentor to confirm it.",
            "One-to-one contact with the mentor, October 3, 2025: waiting for your mentor to verify it.",
        ],
    )
    assert explain.summary(mine.on(date(2025, 11, 1)), "Maria Lopez") == (
        "On track. Expected to finish by June 30, 2027.",
        [
            "7 more meetings by June 30, 2026.",
            "2 more one-to-one contacts by June 30, 2026.",
            "Maria Lopez can make up the September 18 meeting until November 17.",
            "PLC meeting, October 2, 2025: waiting for the mentor to confirm it.",
            "One-to-one contact with the mentor, October 3, 2025: waiting for the mentor to verify it.",
        ],
    )


def test_two_activities_of_one_day_wait_each_by_its_name() -> None:
    mine = Ledger(EXAMPLE)
    for _ in range(2):
        mine.logs("contact", date(2025, 10, 15), minutes=30, verified=False)
    waits = "One-to-one contact with the mentor, October 15, 2025: waiting for your mentor to verify it."
    assert explain.summary(mine.on(date(2025, 11, 1)))[1].count(waits) == 2


def test_the_last_word_counts_and_a_tap_settles_nothing() -> None:
    mine = ledger()
    id_ = mine.attends(FALL, "present")
    (line,) = mine.record.attendance
    corrected = line._replace(step="corrected", status="absent", order=5)
    tapped_late = line._replace(step="tapped", order=9)
    mine.record = Record(attendance=(tapped_late, corrected, line))
    assert requirement_of(mine.on(TODAY), "meetings").have == 0
    tapped = marks([Entry(id_, "tapped", "present")])
    assert (tapped[id_].tapped, tapped[id_].status) == (True, None)
    settled = marks([Entry(id_, "confirmed", "absent"), Entry(id_, "corrected", "partial", 20)])
    assert (settled[id_].status, settled[id_].minutes, settled[id_].corrected) == ("partial", 20, True)


def test_too_few_meetings_are_told_by_what_the_mentee_needs() -> None:
    mine = ledger()
    mine.meets(*weekly(FALL, 2))
    mine.waives("meetings", amount=1)
    assert [(short.need, short.possible) for short in mine.on(TODAY).too_few] == [(3, 2)]
    mine.waives("meetings")
    assert mine.on(TODAY).too_few == ()


def test_a_cohort_is_told_of_a_shortage_once_by_whoever_lacks_most() -> None:
    credited, other = ledger(), ledger()
    for each in (credited, other):
        each.meets(*weekly(FALL, 2))
    credited.waives("meetings", amount=1)
    told = explain.too_few_of_all([credited.on(TODAY), other.on(TODAY), credited.on(TODAY)])
    assert told == ["Only 2 of 4 meetings for 2025-26 are held or scheduled. Schedule 2 more."]
    assert explain.too_few_of_all([credited.on(TODAY)]) == explain.too_few(credited.on(TODAY))


@pytest.mark.parametrize("name", ["Book studies", "Classes", "Hours of practice"])
def test_one_more_of_a_rule_keeps_its_name(name: str) -> None:
    mine = Ledger(policy_of(rule(id="x", name=name, activities=["contact"], at_least=1)))
    assert f"{name}: 1 more by June 30, 2026." in explain.summary(mine.on(date(2025, 9, 1)))[1]
