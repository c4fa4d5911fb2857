"""What people may ask about what is kept of them, and how little of it that is."""
