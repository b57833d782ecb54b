//! SHA-256 (FIPS 180-4), written out: integer arithmetic, rotations and byte order.
//!
//! For learning and measuring; use a reviewed crate such as `sha2` where security depends on it.
//!
//! ```console
//! $ wasm-lab run --invoke sha256_hex kernels/sha256.rs abc
//! ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
//! $ wasm-lab test kernels/sha256.rs
//! ...
//! ```

/// FIPS 180-4, 4.2.2: fractional parts of the cube roots of the first 64 primes.
const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// FIPS 180-4, 5.3.3: fractional parts of the square roots of the first 8 primes.
const INITIAL: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// FIPS 180-4, 6.2.2: one block of 64 bytes into the hash value.
fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut w = [0u32; 64];
    for (word, bytes) in w.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for t in 16..64 {
        let s0 = w[t - 15].rotate_right(7) ^ w[t - 15].rotate_right(18) ^ (w[t - 15] >> 3);
        let s1 = w[t - 2].rotate_right(17) ^ w[t - 2].rotate_right(19) ^ (w[t - 2] >> 10);
        w[t] = w[t - 16].wrapping_add(s0).wrapping_add(w[t - 7]).wrapping_add(s1);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for t in 0..64 {
        let s1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let t1 = h.wrapping_add(s1).wrapping_add(choice).wrapping_add(K[t]).wrapping_add(w[t]);
        let s0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let t2 = s0.wrapping_add(majority);
        (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
    }
    for (word, value) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(value);
    }
}

/// The 32 bytes of the SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> Vec<u8> {
    let mut state = INITIAL;
    let blocks = data.chunks_exact(64);
    let mut rest = blocks.remainder().to_vec();
    for block in blocks {
        compress(&mut state, block);
    }
    // Padding (5.1.1): a one bit, zeros, and the length in bits as 64 bits.
    rest.push(0x80);
    while rest.len() % 64 != 56 {
        rest.push(0);
    }
    rest.extend((data.len() as u64 * 8).to_be_bytes());
    for block in rest.chunks_exact(64) {
        compress(&mut state, block);
    }
    state.iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// The SHA-256 of a text in UTF-8, as 64 hexadecimal digits.
pub fn sha256_hex(text: &str) -> String {
    sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first four bytes, as a number, of the SHA-256 of so many letters `a`.
///
/// Takes and returns one number, so that a benchmark of it has no copies in it.
pub fn sha256_of_letters(size_bytes: usize) -> u32 {
    let hash = sha256(&vec![b'a'; size_bytes]);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    // The examples that NIST publishes for FIPS 180 (one block, two blocks, a million letters a)
    // and the hash of nothing.
    #[test]
    fn published_vectors() {
        let vectors = [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ];
        for (text, hash) in vectors {
            assert_eq!(sha256_hex(text), hash);
        }
        assert_eq!(sha256_of_letters(1_000_000), 0xcdc76e5c);
    }

    // Lengths around the end of a block, where padding goes wrong; computed with sha256sum.
    #[test]
    fn padding_at_the_edge() {
        let hashes = [(55, 0x9f4390f8), (56, 0xb35439a4), (63, 0x7d3e74a0), (64, 0xffe054fe), (65, 0x635361c4)];
        for (size, hash) in hashes {
            assert_eq!(sha256_of_letters(size), hash, "{size}");
        }
    }
}
