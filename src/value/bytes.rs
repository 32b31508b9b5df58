//! Checks over all bytes of a text, sixteen at a time: for texts that a stranger presents, which must cost little.

/// Returns whether `is` holds for all bytes. The compiler checks sixteen bytes together if `is` has no branch.
#[inline]
pub(crate) fn all(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    let is_chunk = |chunk: &[u8; CHUNK]| chunk.iter().fold(true, |so_far, b| so_far & is(*b));
    let (chunks, rest) = bytes.as_chunks();
    chunks.iter().all(is_chunk)
        && match bytes.last_chunk() {
            // Overlaps the chunk before.
            Some(last) => is_chunk(last),
            None => rest.iter().all(|b| is(*b)),
        }
}

const CHUNK: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_byte_is_left_out() {
        for len in 0..70 {
            let mut bytes = vec![b'a'; len];
            assert!(all(&bytes, |b| b == b'a'), "{len} bytes");
            for at in 0..len {
                bytes[at] = b'b';
                assert!(!all(&bytes, |b| b == b'a'), "{at} of {len} bytes");
                bytes[at] = b'a';
            }
        }
    }
}
