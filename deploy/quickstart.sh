#!/usr/bin/env bash
# From a bare Debian 12 to the first result: installs what the build needs, builds a release, scans a small leaky image
# that it makes itself, and delivers made-up secrets through a rotation. No network but for the packages.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh

install_packages "${build_packages[@]}"
bash deploy/libcurl.sh
cmake --preset release > /dev/null
cmake --build --preset release -- --quiet
printf '\n$ build/release/bin/scan-secrets demo\n\n'
code=0
build/release/bin/scan-secrets demo || code=$?
[ "$code" = 1 ] || { echo "the demo ended with $code: it should find secrets and end with 1" >&2; exit 1; }
printf '\nThat is what a leak looks like. And this is how secrets come without one:\n\n$ build/release/bin/secret-injector demo\n\n'
build/release/bin/secret-injector demo
printf '\nNow yours:\n'
printf '  docker save IMAGE | build/release/bin/scan-secrets image -\n'
