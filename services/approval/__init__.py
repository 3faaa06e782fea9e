"""Who may decide, what was decided, and what it gives.

Owns: decisions, public notices, awards, and a copy of each accepted item.
Publishes: decision.proposed, decision.evidence_missing, decision.confirmed, public_notice.opened,
public_notice.ended, award.started. Consumes: item.accepted, item.withdrawn, verification.completed.
"""
