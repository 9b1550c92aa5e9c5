"""Check-ins, reflections, shares, consent, and figures about groups."""
