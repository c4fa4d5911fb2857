"""The composition root's part for the web console: pages put together from store, jobs, editions and releases. Only bot/app.py imports this."""
