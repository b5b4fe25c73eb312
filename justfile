# Each recipe is one or two plain lines, so that nobody needs just.

# Formatting, lints package by package (so that features are not merged), documentation.
check:
    cargo fmt --check && for package in shingle-core shingle shingle-tests shingle-xtask; do cargo clippy -p $package --all-targets -- -D warnings; done
    for features in browser browser,overlap browser,writer component component,overlap component,writer; do cargo clippy -p shingle-wasm --no-default-features --features ruzstd,$features --target wasm32-unknown-unknown -- -D warnings; done
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps -p shingle-core -p shingle -p shingle-tests

# The public API against its committed listings; `just api --update` writes them.
api *ARGS:
    cargo xtask api {{ARGS}}

# All tests that this machine can run; the last lines say what was left out.
test:
    tests/run

# The core for wasm32, and the proof that it imports nothing.
wasm:
    cargo check -p shingle-core --target wasm32-unknown-unknown --no-default-features --features ruzstd
    tests/scripts/imports-nothing

# Times, memory, bytes and disk beside podman's; needs root and about ten minutes.
bench:
    cargo build --release -p shingle && tests/bench/make-images && tests/bench/seed --runs 3

# Advisories, licences and sources of the dependencies; needs cargo-deny.
deny:
    cargo deny check

# What the forge runs on every push, from a bare Debian 12.
ci:
    .ci/run

fmt:
    cargo fmt
