"""The check-in prompts, which the coordinator edits."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.checkins.checkins_actions import EditPrompts, SavePrompts
from handlers.core.calls import COORDINATORS, Call, coordinators_only
from handlers.core.cards import say
from handlers.core.forms import Fields, Form, FormErrors, TextField
from handlers.core.requests import Reply, notice
from handlers.core.router import router
from program.core.words import counted
from storage.checkins import checkins

MOST_PROMPTS = 30
LONGEST_PROMPT = 150  # characters


@router.command("prompts", "Edit the check-in prompts", who=COORDINATORS, help={"coordinator": 6})
def prompts_command(call: Call) -> Reply:
    """The form."""
    return Reply(form=_prompts_form(call))


@router.press(EditPrompts)
def prompts_form(call: Call, _pressed: EditPrompts) -> Reply:
    """The form, for a coordinator."""
    coordinators_only(call, "change the prompts")
    return Reply(form=_prompts_form(call))


@dataclass(frozen=True, slots=True)
class Prompts:
    """The prompts, one on each line."""

    prompts: str


def _prompt_fields(texts: str = "") -> Fields[Prompts]:
    field = TextField(
        "prompts",
        "Prompts",
        texts,
        multiline=True,
        max_length=MOST_PROMPTS * (LONGEST_PROMPT + 1),
        needed="Enter at least one prompt.",
    )
    return Fields(Prompts, field)


def _prompts_form(call: Call) -> Form:
    texts = "\n".join(prompt.text for prompt in checkins.prompts(call.work.tx))
    return Form(
        "Check-in prompts",
        SavePrompts(),
        opener=EditPrompts(),
        blocks=(say("Write one prompt per line. Each check-in uses three. Open check-ins don't change."),),
        fields=_prompt_fields(texts).shown,
    )


@router.submit(SavePrompts)
def set_prompts(call: Call, _sent: SavePrompts) -> Reply:
    """Replace the prompts."""
    coordinators_only(call, "change the prompts")
    lines = [" ".join(line.split()) for line in _prompt_fields().read(call.values).prompts.splitlines()]
    texts = list(dict.fromkeys(line for line in lines if line))
    if not texts:
        raise FormErrors({"prompts": "Enter at least one prompt."})
    if len(texts) > MOST_PROMPTS or any(len(text) > LONGEST_PROMPT for text in texts):
        raise FormErrors({"prompts": f"At most {MOST_PROMPTS} prompts of {LONGEST_PROMPT} characters."})
    checkins.replace_prompts(call.work, texts)
    return notice(f"Saved {counted(len(texts), 'prompt')}. Open check-ins don't change.")
