"""The admin's first page: today's figures (UTC), what is at work now, and what waits for an operator.

    days.py        the last 30 days: what they took in, and what became of their tasks
    now.py         tasks under way, provider accounts and workers, at this moment
    attention.py   what an operator should look at: alerts, differences, confirmations, the auditor's word
    tiles.py       these as figures with their units, each leading to the rows behind it
    page.py        the page, and who sees what of it

Figures of days are roll-up + tail, as in the reports. What is counted at the moment is only what has not ended yet,
by partial indexes, so the page is as fast over a million tasks as over ten. Sandbox organizations are in none of it.
"""
