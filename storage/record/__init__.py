"""Enrolments, policies, the ledger, standings, certificates, disputes, and their verification."""
