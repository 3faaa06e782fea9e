"""What must still happen, by when and by whom.

Owns: deadlines (every due moment, on the place's calendar), referrals, pending signals, the officers' task list, the
stage and the closing of every case. Publishes: referral.offered (and each department's copy on its own topic),
referral.answered, deadline.approaching, deadline.passed, case.concluded. Consumes: every event of the other services.
"""
