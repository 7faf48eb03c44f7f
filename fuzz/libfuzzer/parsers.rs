//! libFuzzer over one target, which `HOTPOT_FUZZ_TARGET` names: one binary for all, since building it takes minutes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("HOTPOT_FUZZ_TARGET").unwrap_or_default();
    match fuzz::find_target(&name) {
        Some(target) => target.run,
        None => panic!("HOTPOT_FUZZ_TARGET names no target: {name:?}"),
    }
});

fuzz_target!(|bytes: &[u8]| (TARGET)(bytes));
