//! Deterministic pseudo-random numbers from a key: the noise of the fields, the random waves and the
//! file's uuid. Stateless, so any cell of any step can be computed on its own.

/// The SplitMix64 finaliser (Steele, Lea & Flood 2014): a bijection that spreads every input bit.
pub(crate) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Folds a key of several words into one.
pub(crate) fn mix_all(words: &[u64]) -> u64 {
    words.iter().fold(0, |h, w| mix(h ^ *w))
}

/// Uniform in [-1, 1).
pub(crate) fn signed_unit(key: u64) -> f32 {
    // The shift leaves 32 bits, so the value is an i32 and its quotient fits a float.
    ((mix(key) >> 32) as u32 as i32) as f32 / 2_147_483_648.0
}

/// Uniform in [0, 1).
pub(crate) fn unit(key: u64) -> f64 {
    (mix(key) >> 11) as f64 / (1_u64 << 53) as f64
}

/// FNV-1a over a text, 64 bits.
pub(crate) fn text(words: &str) -> u64 {
    words.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A version-4-shaped UUID made from a text.
pub(crate) fn uuid(words: &str) -> String {
    let (a, b) = (mix(text(words)), mix(!text(words)));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xfff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniform_numbers_stay_in_range_and_spread() {
        let values: Vec<f32> = (0..10_000).map(signed_unit).collect();
        assert!(values.iter().all(|v| (-1.0..=1.0).contains(v)));
        assert!((values.iter().sum::<f32>() / 10_000.0).abs() < 0.03);
        assert!((0..10_000).map(unit).all(|v| (0.0..1.0).contains(&v)));
    }

    #[test]
    fn uuid_is_version_four_shaped_and_stable() {
        let id = uuid("a spec");
        assert_eq!(id.len(), 36);
        assert_eq!(&id[14..15], "4");
        assert_eq!(id, uuid("a spec"));
        assert_ne!(id, uuid("another spec"));
    }
}
