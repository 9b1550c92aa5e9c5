"""Privacy: what is kept about a person, exports of it, forgetting, legal holds, and retention."""
