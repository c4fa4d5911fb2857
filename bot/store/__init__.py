"""What is kept: questions, answers, votes, escalations, settings of places. One file per record; schema/ has all tables."""
