"""The world around us: a synthetic city that answers over the same public contracts as the real one would.

Knows only `contracts`. Each actor is a process of its own; actors never sleep, they act when the clock's keeper
calls their moment.
"""
