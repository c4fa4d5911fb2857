"""One file for each page of the console. A page reads what its `…Parts` give it and nothing else."""
