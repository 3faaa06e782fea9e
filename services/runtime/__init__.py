"""Shared machinery of every service; it knows no word of relief.

Owns in each service's schema the tables outbox, inbox, kept_events and dead_letters, and the schema clock.
Publishes whatever services record, through the relay and nothing else. Consumes for them, in batches.
"""
