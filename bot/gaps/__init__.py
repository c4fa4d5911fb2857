"""What people ask about and the wiki does not answer: questions grouped by meaning, named, drafted, and closed once a page answers them."""
