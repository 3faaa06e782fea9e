"""The embedded stack: real Kafka, PostgreSQL and Temporal, and every process of ours, without a container."""
