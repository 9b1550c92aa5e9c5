"""Meetings: scheduling, answers to invitations, breaks, attendance, and session summaries."""
