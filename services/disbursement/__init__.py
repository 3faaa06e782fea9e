"""Disbursement (发放): from awards to money with the payee.

Owns: award copies, payments, ledger postings, the bank's statement lines, recorded waits on the bank.
Publishes: payment.instructed, payment.settled, payment.returned.
Consumes: award.started, award.ended.
"""
