"""The same system in containers: what the one-shot jobs of compose.yaml do before the services start."""
