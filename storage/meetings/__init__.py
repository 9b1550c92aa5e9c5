"""Series, meetings, breaks, attendance, and session summaries."""
