"""The brain's hands: slots → a use case → an answer. No SQL, no rules of business here.

``talk.py`` is what every action works with, ``lookup.py`` and ``form.py`` are the two kinds of requests; a feature's file
holds its wordings and says which use case is called. ``server.py`` finds the actions by importing the feature files.
"""
