"""Slack: events in, one message with sources per question out. `adapter.SlackAdapter` is the door."""
