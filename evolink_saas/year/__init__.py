"""`manage.py grow_year`: a made-up year of the gateway with a million tasks, and books that every audit finds clean.

    market.py    what there is before the first task: prices, provider accounts, user groups, customers with their keys
    offers.py    what can be bought, with its frozen price, for each user group
    books.py     one wallet's books in memory: the same postings and burn order as the ledger's, written later
    works.py     tasks and attempts: how each one ended, at which provider account, for how much
    customer.py  one customer's year, event by event
    rows.py      many rows at a time into their tables, by COPY
    growing.py   all of it, and the roll-ups

The clock of a year that is over cannot be turned back, so the verbs of the ledger are of no use here; but what they
compute with is, and the auditor looks at what came out. Nothing else of the product writes rows in this way.
"""
