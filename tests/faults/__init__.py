"""What is killed, stopped and interrupted, and must not matter."""
