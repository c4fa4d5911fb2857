"""One suite of scenarios for every chat platform, over the real desk and store, the real client and a loopback server.

`driver.py` is what a platform provides; `test_platforms.py` holds the scenarios; `python -m tests.conformance` prints the table.
"""
