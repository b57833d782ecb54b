//! Asks for 64 MiB of random bytes in one host call, again and again.
//!
//! All that time is spent in the host, where no epoch or fuel can stop a guest.
//!
//! Expected: the deadline ends it, late by one such call at most.
//!
//! ```console
//! $ wasm-lab run --timeout 300ms misbehaving/random_hog.rs
//! ...
//! [exit status 124]
//! ```

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, size: usize) -> u16;
}

fn main() {
    let mut bytes = vec![0u8; 64 << 20];
    loop {
        // SAFETY: the buffer has that many bytes.
        unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    }
}
