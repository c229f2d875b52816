#!/bin/bash
# root.sh PROGRAM FOLDER PACKAGE...: the root file system of an image that runs PROGRAM and can do nothing else.
#
# The program stripped, the libraries that it loads and the loader, the CA certificates, an account; of each package that
# gave a file, and of those that are named because their code is in the program itself, the licence, and the name for
# vulnerability scanners. Bytes, modes and times depend on those inputs and on SOURCE_DATE_EPOCH alone.
# Debian's glibc holds name resolution by files and DNS in libc itself: no NSS module is needed.
set -euo pipefail
program=$1 root=$2
packages=(ca-certificates "${@:3}")
epoch=${SOURCE_DATE_EPOCH:-0}
umask 022
rm -rf "$root"
mkdir -p "$root"/{etc/ssl/certs,usr/bin,var/lib/dpkg/status.d}

strip --strip-all -o "$root/usr/bin/$(basename "$program")" "$program"

# ldd prints "name => path (address)", and "path (address)" for the loader.
mapfile -t libraries < <(ldd "$program" | awk '$2 == "=>" { print $3; next } $1 ~ /^\// { print $1 }' | sort -u)
missing=$(ldd "$program" | grep 'not found' || true)
[ -z "$missing" ] || { echo "$program: $missing" >&2; exit 1; }
for library in "${libraries[@]}"; do
  install -D -m 0755 "$(readlink -f "$library")" "$root$library"
  # Debian's index has a file under /usr or without it, as its package was made.
  package=$(dpkg-query -S "$library" 2> /dev/null || dpkg-query -S "/usr$library" 2> /dev/null || true)
  [ -n "$package" ] || { echo "$library: no package gave it" >&2; exit 1; }
  packages+=("${package%%:*}")
done
install -m 0644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
printf 'nobody:x:65532:65532::/:/nonexistent\n' > "$root/etc/passwd"
printf 'nobody:x:65532:\n' > "$root/etc/group"
printf 'hosts: files dns\n' > "$root/etc/nsswitch.conf"
install -m 0644 "$(readlink -f /etc/os-release)" "$root/etc/os-release"
for package in $(printf '%s\n' "${packages[@]}" | sort -u); do
  dpkg-query -W -f 'Package: ${Package}\nStatus: ${Status}\nArchitecture: ${Architecture}\nSource: ${source:Package}\nVersion: ${Version}\nMaintainer: ${Maintainer}\nDescription: ${binary:Synopsis}\n' \
    "$package" | awk '/^Package: / && seen++ { exit } { print }' > "$root/var/lib/dpkg/status.d/$package"
  [ ! -e "/usr/share/doc/$package/copyright" ] || install -D -m 0644 "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/copyright"
done
install -D -m 0644 LICENSE "$root/usr/share/doc/$(basename "$program")/copyright"

find "$root" -exec touch --no-dereference --date="@$epoch" {} +
