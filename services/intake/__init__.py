"""The one door: a household tells its story once, and what it said becomes a case with items.

Owns: cases, items, persons, households, applications, authorisations, and the vault of identifiers.
Publishes: application.submitted, item.accepted, item.supplement_requested, item.not_accepted, item.withdrawn,
authorisation.signed. Consumes: decision.confirmed.
"""
