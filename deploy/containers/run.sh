#!/bin/sh
# Runs a module with the settings its container was given: run.sh services.intake.app
set -eu
set -a
. /given/settings.env
set +a
exec python -m "$1"
