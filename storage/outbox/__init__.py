"""Due moments, deliveries, conversations, rate limits, and processed requests."""
