"""Backups: one archive that holds what cannot be made again, and the way back, also on another machine and into the other database."""
