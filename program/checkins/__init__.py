"""Check-ins: their schedule, typed answers, and figures about groups."""
