"""The operator's console: pages served by `saseo serve`. What may be touched where: README.md here."""
