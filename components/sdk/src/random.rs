//! Random bytes that nobody can guess: the operating system's, by way of the host. For salts and tokens.

use crate::backend;

#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    for chunk in bytes.chunks_mut(8) {
        let random = backend::random_u64().to_le_bytes();
        chunk.iter_mut().zip(random).for_each(|(byte, random)| *byte = random);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_drawn() {
        let draws: Vec<[u8; 19]> = (0..64).map(|_| random_bytes()).collect();
        for place in 0..19 {
            let values = draws.iter().map(|draw| draw[place]);
            let different: std::collections::BTreeSet<u8> = values.collect();
            // 64 draws of one value alone: once in 256^63.
            assert!(different.len() > 1, "byte {place}");
        }
    }
}
