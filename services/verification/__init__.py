"""What is known about a household, and from whom.

Owns: means checks, their questions to data sources and recorded waits, visits, the file of evidence.
Publishes: means_check.opened, means_check.started, means_check.completed, visit.ordered, visit.reported,
verification.completed. Consumes: item.accepted, item.withdrawn, authorisation.signed, authorisation.revoked.
"""
