"""What every feature uses: router, requests, replies, cards, forms, help, and calls."""
