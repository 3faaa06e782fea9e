"""The player of stories: does what citizens and named officers of a story do, and checks what came of it.

From outside only: HTTP, Kafka topics, the department's and the bank's own records.
"""
