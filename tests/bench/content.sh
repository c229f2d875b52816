#!/bin/bash
# Makes the file systems that the benchmark's images are packed from: a Debian with Python, a JRE, Node and its modules,
# one layer a step, and one layer of library text.   usage: content.sh CACHE   (as root)
# Leaves CACHE/layers/*.tar: sorted, without times, logs and caches, so that the same package versions give the same bytes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=$1
suite=bookworm
mirror=${BENCH_MIRROR:-http://deb.debian.org/debian}
steps=(
  "2-python python3 python3-pip python3-cryptography python3-lxml python3-numpy python3-botocore git"
  "3-jre openjdk-17-jre-headless"
  "4-node nodejs"
  "5-npm npm"
  "6-modules node-typescript webpack eslint node-babel7 rollup node-rxjs node-d3 node-moment node-highlight.js node-three"
)
text_packages="libstdc++-12-dev linux-libc-dev libboost1.81-dev libpython3.11-stdlib perl-modules-5.36 python3-django libjs-mathjax"

# Mounts made from here on vanish with this process.
if [ "${CONTENT_UNSHARED:-}" != 1 ]; then
  exec env CONTENT_UNSHARED=1 unshare --mount --propagation private bash "$0" "$@"
fi

export DEBIAN_FRONTEND=noninteractive LC_ALL=C SOURCE_DATE_EPOCH=0 TZ=UTC
root=$cache/root
layers=$cache/layers
rm -rf "$root" "$layers"
mkdir -p "$layers"

in_root() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive SOURCE_DATE_EPOCH=0 "$@"; }
install() { in_root apt-get -q -y -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0 --no-install-recommends install "$@"; }
layer() { /usr/bin/python3 "$here/layers.py" diff "$root" "$cache/listing.json" "$layers/$1.tar"; }

rm -f "$cache/listing.json"
debootstrap --variant=minbase "$suite" "$root" "$mirror"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
cat > "$root/etc/apt/sources.list" <<SOURCES
deb $mirror $suite main
deb ${BENCH_SECURITY_MIRROR:-http://deb.debian.org/debian-security} $suite-security main
SOURCES
layer 1-base

cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
in_root apt-get -q -o APT::Sandbox::User=root update
for step in "${steps[@]}"; do
  read -r name packages <<< "$step"
  # shellcheck disable=SC2086  # a list of packages
  install $packages
  layer "$name"
done
/usr/bin/python3 "$here/layers.py" whole "$root" "$layers/all.tar"

# shellcheck disable=SC2086
install $text_packages
in_root dpkg-query -W > "$cache/packages.txt"
umount "$root/proc"
/usr/bin/python3 "$here/layers.py" text "$root" "$layers/text.tar"
rm -rf "$root" "$cache/listing.json"
