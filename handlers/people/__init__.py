"""People: who is who, cohorts and their home channels, roles, and removals."""
