"""Slack's limits, as documented for Block Kit; lengths are in characters."""

from __future__ import annotations

from storage.outbox.rate_limits import Limit, Rate

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
# Slack refuses a message whose blocks hold too much text in all (msg_blocks_too_long). The figure is not
# documented; refusals were reported from about 11,300 on, so a message stays well below.
MESSAGE_TEXT = 9_000
VIEW_TEXT = 40_000
FALLBACK_TEXT = 3_900

HEADER = 150
TEXT = 3_000  # one paragraph, a section
CONTEXT = 2_000
LABEL = 150  # a label or a name in a list, ours
CELL = 100  # a cell of a table, ours
TABLE_ROWS = 100
TABLE_COLUMNS = 20
TABLE_SHARE = 0.6  # of a message's text; the rest of the message needs room too

BUTTON_TEXT = 75
BUTTON_URL = 3_000
BUTTONS_IN_ROW = 25
CONFIRM_TEXT = 300

VIEW_TITLE = 24
METADATA = 3_000
INPUT_LABEL = 2_000
INPUT_TEXT = 3_000
OPTION_TEXT = 75
OPTIONS = 100
CHECKBOXES = 10

CHARTS = 2  # in one message
CHART_TITLE = 50
CHART_LABEL = 20
CHART_POINTS = 20
CHART_SERIES = 12
CHART_SEGMENTS = 12

# Slack counts each method over a workspace: a post also asks whether its reader is deactivated, and users.info
# takes 100 a minute; chat.update takes 50. With the burst of ten, no minute ever holds more.
RATE_LIMITS = (
    Limit("post", ("post",), Rate(seconds=60 / 90, burst=10), min_gap=1.0),
    Limit("update", ("update",), Rate(seconds=60 / 40, burst=10)),
    Limit("visit", ("visit",)),
)
