"""Meetings: series, attendance and topics."""
