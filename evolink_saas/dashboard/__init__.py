"""The first page of the admin: today in figures, the work that is under way, and what waits for an operator.

Money comes from the roll-ups of the reports, work from the few rows that are open; nothing counts what has ended.
Each part is shown to those who may open the pages behind it.
"""
