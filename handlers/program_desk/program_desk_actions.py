"""The buttons of a coordinator's way through the program that several files make."""

from __future__ import annotations

from handlers.core.actions import Action, action


@action("overview.find")
class OpenFinding(Action):
    """Open the form that finds mentees by standing, cohort and region."""


@action("overview.help")
class ShowWhoNeedsHelp(Action):
    """Show the mentees who are behind or at risk."""
