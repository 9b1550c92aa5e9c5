"""Cards and forms with every part there is, hostile text and the longest names, for every renderer's tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID

from handlers.core.actions import SentAction
from handlers.core.cards import (
    Bold,
    Bullets,
    Button,
    Buttons,
    Card,
    Chart,
    Cmd,
    Divider,
    Facts,
    Heading,
    Link,
    LinkButton,
    Mention,
    Note,
    Paragraph,
    Progress,
    Series,
    Table,
    When,
)
from handlers.core.forms import ChoiceField, DateField, Form, ManyField, NumberField, Option, TextField, TimeField

HOSTILE = (
    "<script>alert(1)</script> <!channel> <@U0HOSTILE> *bold* _x_ ~x~ `code` [link](https://evil.example) "
    "&amp; \"q\" 'q' {{DATE(2020-01-01T00:00:00Z)}} ${x} <at>everyone</at> \u202e\n> quoted\n- item"
)
LONG_NAME = "Dr. Maximiliana-Theodora Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh " * 3
DANA = UUID(int=1)
WHEN = When(datetime(2026, 11, 12, 21, 0, tzinfo=UTC), "America/Chicago")

EVERYTHING = Card(
    f"Meeting: {HOSTILE}",
    (
        Heading(HOSTILE),
        Paragraph(("Hello ", Bold(HOSTILE), ", see ", Link(HOSTILE, "https://example.org/a?b=c&d=e"), ". ", WHEN)),
        Paragraph((Mention(DANA, HOSTILE), " is coming.")),
        Paragraph(("Send ", Cmd("progress"), " to see it; or ", Cmd(HOSTILE))),
        Note((HOSTILE,)),
        Bullets(((HOSTILE,), ("second ", Bold("item")))),
        Facts((("When", (WHEN,)), (HOSTILE, (HOSTILE,)))),
        Divider(),
        Progress(HOSTILE, 5, 8),
        Table(("Name", "Status"), ((HOSTILE, "present"), ("Lee", HOSTILE)), caption=HOSTILE),
        Chart("bar", HOSTILE, ("Year 1", HOSTILE), (Series("Attended", (5, 0)), Series(HOSTILE, (8, 8)))),
        Buttons(
            (
                Button("I'm here", SentAction.of("attendance.here", DANA), style="primary"),
                Button("Write a reflection", SentAction.of("checkins.write", DANA), opens_form=True),
                Button("Cancel", SentAction.of("meetings.cancel", DANA), style="danger", confirm=HOSTILE),
                LinkButton(HOSTILE, "https://example.org/join?x=1&y=2"),
            )
        ),
    ),
)

COHORT_OF_60 = Card(
    LONG_NAME,
    (
        Paragraph((LONG_NAME * 30,)),
        Table(
            ("Name", "Attended", "Standing"),
            tuple((f"{LONG_NAME} {n}", f"{n} of 60", "on track") for n in range(60)),
            caption="Sixty people",
        ),
        Facts(tuple((f"{LONG_NAME} {n}", (LONG_NAME,)) for n in range(60))),
        *(Progress(f"{LONG_NAME} {n}", n, 60) for n in range(60)),
        Chart(
            "bar",
            LONG_NAME,
            tuple(f"{LONG_NAME} {n}" for n in range(60)),
            (Series(LONG_NAME, tuple(float(n) for n in range(60))),),
        ),
        Buttons(tuple(Button(f"{LONG_NAME} {n}", SentAction.of("people.open", n)) for n in range(30))),
    ),
)

FORM = Form(
    "Plan a meeting",
    SentAction.of("meetings.new", DANA),
    opener=SentAction.of("meetings.open", DANA),
    submit="Preview dates",
    blocks=(Paragraph((HOSTILE,)),),
    fields=(
        TextField("topic", HOSTILE, HOSTILE, hint=HOSTILE, max_length=400),
        TextField("notes", "Notes", "line 1\nline 2", multiline=True, optional=True),
        ChoiceField("repeat", "Repeat", (Option("once", "Once"), Option("weekly", HOSTILE)), "weekly"),
        ManyField("topics", "Topics", (Option("a", HOSTILE), Option("b", "B")), ("a",)),
        DateField("day", "First date", date(2026, 11, 12)),
        TimeField("time", "Time", time(15, 30)),
        NumberField("minutes", "Minutes", 60, 5, 480),
    ),
)

ROSTER_OF_60 = Form(
    "Who came?",
    SentAction.of("attendance.roster", DANA),
    opener=SentAction.of("attendance.open", DANA),
    fields=tuple(
        ChoiceField(
            f"p{n}",
            f"{LONG_NAME} {n}",
            tuple(Option(code, code.title()) for code in ("present", "partial", "excused", "absent")),
            "present" if n % 2 else "",
            optional=True,
        )
        for n in range(60)
    ),
)

CONFIDENTIAL = Form(
    "Your reflection",
    SentAction.of("checkins.save", DANA),
    opener=SentAction.of("checkins.write", DANA),
    confidential=True,
    fields=(TextField("went_well", "What went well?", multiline=True, optional=True),),
)

READ_ONLY = Form(
    "Preview",
    SentAction.of("summaries.post", DANA),
    opener=SentAction.of("summaries.preview", DANA),
    submit=None,
    blocks=(Heading("Topics"), Bullets(((HOSTILE,),)), Facts((("Next", (HOSTILE,)),))),
    back=SentAction.of("summaries.open", DANA),
)

CARDS = (EVERYTHING, COHORT_OF_60, Card("", (Paragraph(("Only a sentence.",)),)), Card("Only a title"))
FORMS = (FORM, ROSTER_OF_60, CONFIDENTIAL, READ_ONLY)
