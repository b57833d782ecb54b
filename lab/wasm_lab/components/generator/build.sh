#!/bin/sh
# Makes bindings.wasm anew; needs cargo and the target wasm32-wasip1. No path of this machine stays in it.
set -eu
cd "$(dirname "$0")"
target=${CARGO_TARGET_DIR:-$(mktemp -d)}
cargo fetch --locked
flags=""
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    flags="$flags --remap-path-prefix=$folder=crates"
done
RUSTFLAGS="$flags --remap-path-prefix=$PWD=bindings" \
    cargo build --release --locked --target wasm32-wasip1 --target-dir "$target"
cp "$target/wasm32-wasip1/release/bindings.wasm" bindings.wasm
# What was made of what, for a test that sees when a source changes and this was not run again.
find Cargo.toml Cargo.lock src bindings.wasm -type f | LC_ALL=C sort | xargs sha256sum >sources.sha256
