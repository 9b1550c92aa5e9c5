"""People, accounts, cohorts, memberships, and the roster import."""
