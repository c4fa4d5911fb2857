"""From votes, corrections, resolved escalations and own data to reviewed training examples. Knows no chat platform and no trainer."""
