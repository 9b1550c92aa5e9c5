"""Privacy settings, and how long confidential text is kept."""
