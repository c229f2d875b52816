# What Debian 12 needs, by package name. Sourced by deploy/quickstart.sh and tests/run.sh.

build_packages=(
  ca-certificates ccache cmake g++ make ninja-build pkg-config
  libarchive-dev libboost1.81-dev libbz2-dev libcli11-dev libcurl4-openssl-dev libisal-dev liblzma-dev
  libnghttp2-dev libpcre2-dev libssl-dev libtomlplusplus-dev libvectorscan-dev libyaml-dev libzstd-dev nettle-dev
  nlohmann-json3-dev zlib1g-dev
)

# install_packages PACKAGE...: only those that are missing, without a prompt, as root or with sudo.
install_packages() {
  local missing=() package root=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || root=(sudo)
  "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
    --no-install-recommends "${missing[@]}" > /dev/null
}

# What was compiled in one folder serves in another, a clone or a container; whatever language its messages were in.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=locale CCACHE_COMPILERCHECK=content
