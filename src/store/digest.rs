//! What manifests say of an object's bytes.
//!
//! Key type: [`StoredDigest`], of bytes that come piece by piece.

/// The crc32c of whatever ends in the crc32c of what is before: it tells nothing of that. (The remainder of the polynomial, RFC 3720,
/// appendix B.4, with its bytes inverted.)
const OF_ALL: u32 = 0x4867_4bc7;

/// The crc32c of an object's bytes; of an object that ends in its own crc32c, as codecs of Zarr version 3 make them, that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StoredDigest {
    crc32c: u32,
    last: [u8; 4],
}

impl StoredDigest {
    /// Of `bytes`.
    #[must_use]
    pub(crate) fn of(bytes: &[u8]) -> u32 {
        let mut digest = Self::default();
        digest.add(bytes);
        digest.value()
    }

    /// Is `recorded` what a manifest says of `bytes`?
    #[must_use]
    pub(crate) fn is_of(recorded: u32, bytes: &[u8]) -> bool {
        let mut digest = Self::default();
        digest.add(bytes);
        digest.is(recorded)
    }

    /// Does what a manifest has `recorded` tell an object from others?
    #[must_use]
    pub(crate) fn tells(recorded: u32) -> bool {
        recorded != OF_ALL
    }

    /// Adds the next piece.
    pub(crate) fn add(&mut self, piece: &[u8]) {
        self.crc32c = crc32c::crc32c_append(self.crc32c, piece);
        let kept = &piece[piece.len().saturating_sub(4)..];
        self.last.rotate_left(kept.len());
        self.last[4 - kept.len()..].copy_from_slice(kept);
    }

    #[must_use]
    pub(crate) fn value(self) -> u32 {
        match self.crc32c {
            OF_ALL => u32::from_le_bytes(self.last),
            crc32c => crc32c,
        }
    }

    /// Is `recorded` what a manifest says of it? Older manifests have the same number for all objects that end in their own crc32c.
    #[must_use]
    pub(crate) fn is(self, recorded: u32) -> bool {
        recorded == self.value() || (recorded == OF_ALL && self.crc32c == OF_ALL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_that_end_in_their_own_crc32c_are_told_apart() {
        let ending = |byte: u8| {
            let body = vec![byte; 100];
            let crc = crc32c::crc32c(&body);
            ([&body[..], &crc.to_le_bytes()].concat(), crc)
        };
        let ((one, crc), (other, _)) = (ending(1), ending(2));
        assert_eq!(crc32c::crc32c(&one), OF_ALL);
        assert_eq!(StoredDigest::of(&one), crc);
        assert!(StoredDigest::is_of(crc, &one) && !StoredDigest::is_of(crc, &other));
        // As older manifests have it.
        assert!(StoredDigest::is_of(OF_ALL, &one) && !StoredDigest::is_of(OF_ALL, &one[1..]));
        let mut pieces = StoredDigest::default();
        for piece in one.chunks(3) {
            pieces.add(piece);
        }
        assert_eq!(pieces.value(), crc);
        let plain = &one[..100];
        assert_eq!(StoredDigest::of(plain), crc32c::crc32c(plain));
        for short in 0..5 {
            assert_eq!(
                StoredDigest::of(&one[..short]),
                crc32c::crc32c(&one[..short])
            );
        }
    }
}
