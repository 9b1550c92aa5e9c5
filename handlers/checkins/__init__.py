"""Check-ins: consent, prompts, typed answers, reflections, sharing, pauses, and figures about groups."""
