"""The table of links to files."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, String, Table

from storage.core.columns import Instant, metadata, reference

download = Table(
    "download",
    metadata,
    Column("token_hash", LargeBinary, primary_key=True),  # the token itself is only in the link
    reference("person_id", "person"),  # the person it is for
    Column("what", String(16), nullable=False),  # certificate, packet, record, export
    Column("subject", String(64), nullable=False),
    Column("format", String(16), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("seal", LargeBinary),
    Index("ix_download_expires_at", "expires_at"),
)
