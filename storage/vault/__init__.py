"""Encryption: the vault, the key store, key rotation, and seals of rows."""
