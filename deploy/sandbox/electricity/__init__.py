"""The power company: a department that reads its topic, knows nothing else, and answers each referral."""
