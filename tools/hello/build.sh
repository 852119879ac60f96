#!/bin/bash
# Builds hello worlds like those with published cold starts, so that the KiB in bench/report/model/calibration.json can be counted again:
#   tools/hello/build.sh [DIR]      bootstraps in DIR/{rust,go}-{arm64,x86_64}/, build/hello by default
#   for f in build/hello/*/; do bin/twinstart predict "$f"; done       # Rust for another architecture needs the C library of that architecture: --base-root
# It uses the same runtimes, profiles and tool chains as maxday/lambda-perf at 6070b794: lambda_runtime 1.2.1, opt-level z, glibc target, linked by Zig as
# cargo-lambda does; Go 1.22.0, aws-lambda-go 1.54.0, tag lambda.norpc. It needs go, rustup and python3, and downloads everything else from their registries.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-$here/../../build/hello}" && cd "${1:-$here/../../build/hello}" && pwd)
export CARGO_TARGET_DIR=$out/.cargo GOTOOLCHAIN=go1.22.0 CGO_ENABLED=0 GOOS=linux GOFLAGS=-mod=mod GOWORK=off

[ -x "$out/.tools/bin/cargo-zigbuild" ] || {
  python3 -m venv "$out/.tools"
  "$out/.tools/bin/pip" install --quiet --only-binary=:all: --require-hashes -r "$here/../../packages/language/zigbuild.txt"
}
PATH=$out/.tools/bin:$PATH

rm -rf "$out/.go" && cp -r "$here/go" "$out/.go" # a separate module, with other versions than this repository's
(cd "$out/.go" && go mod init hello && go get github.com/aws/aws-lambda-go@v1.54.0) 2>"$out/.go.log" || { cat "$out/.go.log" >&2; exit 1; }

while read -r architecture goarch triple; do
  mkdir -p "$out/go-$architecture" "$out/rust-$architecture"
  (cd "$out/.go" && GOARCH=$goarch go build -tags lambda.norpc -buildvcs=false -ldflags='-s -w' -o "$out/go-$architecture/bootstrap" .)
  rustup --quiet target add "$triple"
  (cd "$here/rust" && cargo zigbuild --quiet --locked --release --target "$triple")
  cp "$CARGO_TARGET_DIR/$triple/release/bootstrap" "$out/rust-$architecture/bootstrap"
done <<'TABLE'
arm64 arm64 aarch64-unknown-linux-gnu
x86_64 amd64 x86_64-unknown-linux-gnu
TABLE
ls -l "$out"/*/bootstrap
