//! Random numbers from the operating system.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::protocol::connection::Masking;

/// Unpredictable masking keys (§5.3, §10.3). The first few come from the operating system, the
/// others from a cipher that it seeds: a million small messages would need a thousand system calls.
/// The cipher is set up late because it probes the processor, which is slow in a virtual machine.
pub fn masking() -> Masking {
    let mut first = true;
    let mut cipher = None;
    Box::new(move |keys| {
        if std::mem::take(&mut first) {
            return fill(keys);
        }
        let keyed = || {
            let mut seed = [0; 32];
            fill(&mut seed);
            StdRng::from_seed(seed)
        };
        cipher.get_or_insert_with(keyed).fill_bytes(keys);
    })
}

/// Fills the slice with the operating system's random bytes.
pub fn fill(bytes: &mut [u8]) {
    // Without random numbers nothing can be sent safely; every supported system has them.
    getrandom::fill(bytes).unwrap_or_else(|e| panic!("the system gives no random bytes: {e}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_comes_twice() {
        let mut masking = masking();
        let mut keys = vec![[0; 64]; 4];
        keys.iter_mut().for_each(|block| masking(block));
        let mut seen: Vec<_> = keys.iter().flat_map(|block| block.chunks(8)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 32);
    }
}
