"""`python -m deploy.cli`, which the launcher `onething` runs."""

from deploy.cli.app import app

if __name__ == "__main__":
    app(prog_name="onething")
