"""The terminal as a chat platform: the conversation of `saseo chat`."""
