//! Signing and verifying a message in two pieces, so that a body need not be copied behind what precedes it.

use sha2::block_api::compress256;

use super::{BLOCK, MacKey, finish, finish_outer, is_same};

impl MacKey {
    /// Returns the HMAC-SHA-256 of `head`, followed by `body`.
    pub(crate) fn sign_parts(&self, head: &[u8], body: &[u8]) -> [u8; 32] {
        let mut state = self.inner;
        let (blocks, rest) = head.as_chunks::<BLOCK>();
        compress256(&mut state, blocks);
        // The block that both have a part in: the rest of the head, then the beginning of the body.
        let mut joint = [0; BLOCK];
        let (start, free) = joint.split_at_mut(rest.len());
        start.copy_from_slice(rest);
        let inner = match body.split_at_checked(free.len()) {
            Some((begin, body)) => {
                free.copy_from_slice(begin);
                compress256(&mut state, std::slice::from_ref(&joint));
                finish(state, BLOCK * (blocks.len() + 2), body)
            }
            None => {
                free.iter_mut().zip(body).for_each(|(place, byte)| *place = *byte);
                let message = joint.get(..rest.len() + body.len()).unwrap_or_default();
                finish(state, BLOCK * (blocks.len() + 1), message)
            }
        };
        finish_outer(self.outer, &inner)
    }

    /// Returns whether one of `macs` is the HMAC-SHA-256 of `head`, followed by `body`. Each comparison takes constant time.
    pub(crate) fn verify_parts(&self, head: &[u8], body: &[u8], macs: &[[u8; 32]]) -> bool {
        let made = self.sign_parts(head, body);
        macs.iter().fold(false, |found, mac| found | is_same(&made, mac))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever a message is cut, around each end of a block.
    #[test]
    fn two_pieces_are_signed_as_one() {
        let message: Vec<u8> = (0u8..=255).collect();
        let key = MacKey::from_key(b"Jefe");
        for len in 0..message.len() {
            let whole = key.sign(&message[..len]);
            for cut in 0..=len {
                let (head, body) = message[..len].split_at(cut);
                assert_eq!(key.sign_parts(head, body), whole, "{cut} of {len} bytes");
            }
        }
    }

    #[test]
    fn one_of_several_macs_verifies_and_a_changed_one_does_not() {
        let key = MacKey::from_key(b"Jefe");
        let mac = key.sign(b"head.body");
        let mut forged = mac;
        forged[31] ^= 1;
        assert!(key.verify_parts(b"head.", b"body", &[forged, mac]));
        assert!(key.verify_parts(b"head.", b"body", &[mac, forged]));
        assert!(!key.verify_parts(b"head.", b"body", &[forged]));
        assert!(!key.verify_parts(b"head.", b"body", &[]));
        assert!(!key.verify_parts(b"head", b"body", &[mac]));
    }
}
