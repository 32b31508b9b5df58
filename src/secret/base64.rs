//! Base64 that holds a key (RFC 4648 section 4): canonical and padded, or refused.

use data_encoding::BASE64;
use zeroize::Zeroizing;

/// Decodes canonical, padded base64 into a buffer that is wiped. The decoder's error tells where the text is malformed, which reveals
/// something of it; and the decoder would also take several texts in a row, each with its padding.
pub(super) fn decode(base64: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let padding = base64.iter().rev().take_while(|b| **b == b'=').count();
    if base64.iter().rev().skip(padding).any(|b| *b == b'=') {
        return None;
    }
    let mut bytes = Zeroizing::new(vec![0; BASE64.decode_len(base64.len()).ok()?]);
    let len = BASE64.decode_mut(base64, &mut bytes).ok()?;
    bytes.truncate(len);
    Some(bytes)
}
