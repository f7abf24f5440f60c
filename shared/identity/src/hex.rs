//! Lower-case hexadecimal.

pub use base16ct::lower::encode_string as encode;

/// Decodes lower-case hexadecimal text of exactly `N` bytes; `None` for other text.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let decoded = base16ct::lower::decode(text, &mut bytes).ok()?.len();
    (decoded == N).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_restores_bytes_and_refuses_other_text() {
        assert_eq!(encode(&[0, 10, 255]), "000aff");
        assert_eq!(decode::<3>("000aff"), Some([0, 10, 255]));
        for bad in ["000af", "000afff", "000aFF", "000ag0", "", "é0aff"] {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
    }
}
