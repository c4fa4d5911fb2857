"""What an operator may measure: events where they happen, metrics, health checks, traces. Never a person, a place's name or a text."""
