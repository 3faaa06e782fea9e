"""What must still happen: deterministic Temporal workflows that only wait; the services act.

Owns no table and no topic. Started and signalled by coordination's bridge; tells coordination of every wait
before it begins, so that no deadline is known here alone.
"""
