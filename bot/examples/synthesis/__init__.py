"""From the wiki itself to training examples: facts, questions about them, and questions that it does not answer."""
