"""The operators' reports in the admin: what came in, what it cost us, what we owe, and how well it went.

    asked.py        what was asked for: a range of UTC days, what to group by, what to narrow to
    sales.py        revenue, refunds, promo cost, breakage, upstream cost and margin
    liabilities.py  credits that were paid for and not used yet, at the end of any day
    tables.py       a report as rows of figures with their units, each linked to what is behind it
    charts.py       pictures of figures, as SVG
    exports.py      the same tables as CSV and XLSX
    behind.py       links to the rows that a figure is the sum of
    pages.py        the pages themselves

Every figure is roll-up + tail (`billing.report_rollups`), so it is exact, and no page counts rows. Sandbox
organizations are in none. What each figure means: docs/reports.md.
"""
