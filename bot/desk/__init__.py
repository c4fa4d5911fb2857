"""The reference desk: takes questions from the chat platforms, answers each exactly once, and keeps what people say about it."""
