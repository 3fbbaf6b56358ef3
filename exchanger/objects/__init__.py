"""
What a row becomes in Braze, kind by kind: what it needs, how it is spelled, what it costs. Pure.

Attributes fold into one object for each profile (``profiles/planning``); events and purchases are
an object for each row, orders one for several rows, and these add up.
"""
