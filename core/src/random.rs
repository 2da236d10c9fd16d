//! Keyed random streams: what is drawn depends on (seed, purpose, participant, slot) and on nothing else, so that a changed
//! report shifts nobody else's numbers and mechanisms share their luck.

use rand::SeedableRng;

/// A reproducible stream of random numbers, the same on every platform.
pub type Stream = rand_chacha::ChaCha8Rng;

/// The stream of one purpose of one participant in one slot.
pub fn stream(seed: u64, purpose: &str, participant: usize, slot: usize) -> Stream {
    let mut key = blake3::Hasher::new_derive_key("coase random streams v1");
    key.update(&seed.to_le_bytes());
    key.update(&(participant as u64).to_le_bytes());
    key.update(&(slot as u64).to_le_bytes());
    key.update(purpose.as_bytes());
    Stream::from_seed(*key.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::stream;
    use rand::RngExt;

    #[test]
    fn streams_depend_on_every_part_of_the_key_and_on_nothing_else() {
        let draw = |seed, purpose, participant, slot| stream(seed, purpose, participant, slot).random::<u64>();
        let first = draw(1, "arrival", 2, 3);
        assert_eq!(first, draw(1, "arrival", 2, 3));
        for other in
            [draw(2, "arrival", 2, 3), draw(1, "order", 2, 3), draw(1, "arrival", 3, 3), draw(1, "arrival", 2, 4)]
        {
            assert_ne!(first, other);
        }
    }
}
