"""The console's chat as a platform: its page asks, this room passes it through the desk like any other question."""
