"""``plc-bot run`` that sends as fast as it can: ``python -m tests.benchmarks.unpaced``.

The pace that one Slack workspace allows, 90 messages a minute, would hide what sending costs.
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.argv.append("run")
    from bot.cli.commands import main
    from bot.slack.slack_app import SlackPlatform
    from storage.outbox.rate_limits import UNLIMITED

    SlackPlatform.rate_limits = UNLIMITED
    main()
