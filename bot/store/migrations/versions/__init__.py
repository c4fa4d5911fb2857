"""The steps: one file per revision, named by it. What was released is never changed again."""
