"""The command line `onething`: one file per group of commands."""
