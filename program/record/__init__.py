"""The record: policy, ledger, requirements, standing, certificates, and the attendance import."""
