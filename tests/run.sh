#!/usr/bin/env bash
# The tests, with the real servers some of them log in to: tests/run.sh [arguments of cargo test]
set -euo pipefail
cd "$(dirname "$0")/.."
exec tests/services.sh run cargo test --locked "$@"
