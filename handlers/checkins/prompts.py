"""The check-in prompts, which the coordinator edits."""

from __future__ import annotations

from handlers.core.actions import untyped
from handlers.core.calls import COORDINATORS, Call, FieldReader, Refused
from handlers.core.cards import say
from handlers.core.forms import Form, FormErrors, TextField
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from program.core.words import counted
from storage.checkins import checkins

MOST_PROMPTS = 30


@router.command("prompts", "Edit the check-in prompts", who=COORDINATORS, help={"coordinator": 6})
def prompts_command(call: Call) -> Reply:
    return Reply(form=_prompts_form(call))


@router.press("checkins.prompts")
def prompts_form(call: Call) -> Reply:
    if not call.me.coordinator:
        raise Refused("Only a coordinator can change the prompts.")
    return Reply(form=_prompts_form(call))


def _prompts_form(call: Call) -> Form:
    texts = "\n".join(prompt.text for prompt in checkins.prompts(call.work.tx))
    return Form(
        "Check-in prompts",
        untyped("checkins.prompted"),
        opener=untyped("checkins.prompts"),
        blocks=(say("Write one prompt per line. Each check-in uses three. Open check-ins don't change."),),
        fields=(TextField("prompts", "Prompts", texts, multiline=True),),
    )


@router.submit("checkins.prompted")
def set_prompts(call: Call) -> Reply:
    if not call.me.coordinator:
        raise Refused("Only a coordinator can change the prompts.")
    lines = [" ".join(line.split()) for line in FieldReader(call.values).text("prompts").splitlines()]
    texts = list(dict.fromkeys(line for line in lines if line))
    if not texts:
        raise FormErrors({"prompts": "Enter at least one prompt."})
    if len(texts) > MOST_PROMPTS or any(len(text) > 150 for text in texts):
        raise FormErrors({"prompts": f"At most {MOST_PROMPTS} prompts of 150 characters."})
    checkins.replace_prompts(call.work, texts)
    return notice(f"Saved {counted(len(texts), 'prompt')}. Open check-ins don't change.")
