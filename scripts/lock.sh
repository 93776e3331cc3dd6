#!/bin/sh
# Pins every requirement with hashes, for all platforms. No registry's address is written.
set -eu
UV=$(command -v uv || echo .tools/bin/uv)
common="--universal --generate-hashes --no-emit-index-url --no-header --quiet"
$UV pip compile requirements/bot.in --override requirements/bot-overrides.txt --python-version 3.10 $common -o requirements/bot.txt
$UV pip compile requirements/dev.in --python-version 3.12 $common -o requirements/dev.txt
$UV pip compile requirements/app.in -c requirements/dev.txt --python-version 3.12 $common -o requirements/app.txt
