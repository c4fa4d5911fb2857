"""One indexing run, by its steps.

`options.py` is what a run is told and `report.py` what it tells. `listing.py` asks every source for its files, `reading.py` turns them into
pages, `serving.py` is the edition that serves now, `holding.py` decides which source is not taken as it is, `comparing.py` what changed,
`staying.py` whether anything is to be made at all, `computing.py` makes legs and vectors, `checking.py` decides whether the new edition
may serve, `calibrating.py` gives it its threshold. `knowledge/build.py` joins them.
"""
