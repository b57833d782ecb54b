#!/bin/sh
# Builds front.wasm and glue.wasm from their sources, into this folder. No path of this machine stays in them.
set -eu
cd "$(dirname "$0")"
target="${CARGO_TARGET_DIR:-target}"
cargo fetch --locked
flags="-C link-arg=-zstack-size=65536"
for folder in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
    flags="$flags --remap-path-prefix=$folder=crates"
done
RUSTFLAGS="$flags" cargo build --release --locked --target wasm32-unknown-unknown
wasm-tools component new "$target/wasm32-unknown-unknown/release/front.wasm" -o front.wasm
wasm-tools parse glue.wat -o glue.wasm
# What was made of what, for a test that sees when a source changes and this was not run again.
find Cargo.toml Cargo.lock glue.wat src wit front.wasm glue.wasm -type f | LC_ALL=C sort | xargs sha256sum >sources.sha256
