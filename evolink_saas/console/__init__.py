"""The pages of the console: `pages.PAGES` lists them, `navigation.GROUPS` is the side bar.

Every page belongs to one organization, which its address names, and to one `Act` of `accounts.roles`; `entrance` lets
in whoever may. Views are thin: they call what the API calls.
"""
