#!/usr/bin/env bash
# libcurl as the sidecar uses it (HTTP/1.1 and HTTP/2 over OpenSSL), from Debian's own source with Debian's own fixes,
# into build/libcurl. Debian's binary package serves every protocol: it brings GnuTLS, Kerberos, LDAP and SSH into the
# process, which is most of its memory and of its image. CMake takes this one when it is there.
#
#   libcurl.sh          builds it unless the one there is of the version that Debian has now
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh
prefix=$PWD/build/libcurl

version=$(dpkg-query -W -f '${Version}' libcurl4-openssl-dev)
[ "$(cat "$prefix/version" 2> /dev/null)" = "$version" ] && exit 0

install_packages dpkg-dev patch xz-utils
work=$(mktemp -d "${TMPDIR:-/var/tmp}/libcurl.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # apt fetches as a user of its own.
mkdir -p "$work/lists/partial" "$work/parts"

# The machine's own sources, asked for source packages.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  [ -s "$list" ] || continue
  sed -E 's/^Types:.*/Types: deb-src/; s/^deb([[:space:]])/deb-src\1/' "$list" > "$work/parts/$(basename "$list")"
done
mv "$work/parts/sources.list" "$work/sources.list" 2> /dev/null || : > "$work/sources.list"
apt=(-o "Dir::Etc::sourcelist=$work/sources.list" -o "Dir::Etc::sourceparts=$work/parts" -o "Dir::State::lists=$work/lists" -o APT::Sandbox::User=root
  -o "Dir::Cache::srcpkgcache=" -o "Dir::Cache::pkgcache=")
export TMPDIR=$work
apt-get "${apt[@]}" update -qq
(cd "$work" && apt-get "${apt[@]}" source -qq --download-only "curl=$version" > /dev/null &&
  dpkg-source --no-check -x ./*.dsc source > /dev/null)

without=()
for part in ALTSVC COOKIES DOH GETOPTIONS HSTS MIME NTLM; do without+=("-DCURL_DISABLE_$part=ON"); done
rm -rf "$prefix"
cmake -S "$work/source" -B "$work/build" -G Ninja -Wno-dev -DCMAKE_BUILD_TYPE=None -DCMAKE_INSTALL_PREFIX="$prefix" \
  -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_POSITION_INDEPENDENT_CODE=ON \
  -DCMAKE_C_FLAGS="-O2 -fstack-protector-strong -fstack-clash-protection -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$work/=" \
  -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF -DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DENABLE_UNIX_SOCKETS=OFF \
  -DHTTP_ONLY=ON -DCURL_USE_OPENSSL=ON -DUSE_NGHTTP2=ON -DUSE_LIBIDN2=OFF -DCURL_USE_LIBPSL=OFF -DCURL_USE_LIBSSH2=OFF \
  -DCURL_ZLIB=OFF -DCURL_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt \
  -DCURL_CA_PATH=/etc/ssl/certs "${without[@]}" > "$work/log" 2>&1 ||
  { tail -n 30 "$work/log" >&2; exit 1; }
cmake --build "$work/build" > "$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; exit 1; }
cmake --install "$work/build" > /dev/null
echo "$version" > "$prefix/version"
