"""The roster file."""
