"""The public pages: Kling 3.0 (`kling_3`), all models, and one page a model.

Nothing here knows a price, a limit or a model by itself: they come from the catalogue, the price book, the health
report and the settings, and a page that was opened after one of them changed shows the change.
"""
