"""What happens when a person acts or a due moment comes, in cards and forms of no platform."""
