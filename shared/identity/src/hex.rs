//! Lower-case hexadecimal.

/// Encodes bytes as two lower-case digits each.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    // Every response contains a hexadecimal id. Formatting each byte would cost more than the rest of a small response.
    let digit = |value: u8| {
        char::from(if value < 10 {
            b'0' + value
        } else {
            b'a' - 10 + value
        })
    };
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    text
}

/// Decodes lower-case hexadecimal text of exactly `N` bytes; `None` for other text.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let &[high, low] = pair else { return None };
        *byte = digit(high)? << 4 | digit(low)?;
    }
    Some(bytes)
}

fn digit(text: u8) -> Option<u8> {
    match text {
        b'0'..=b'9' => Some(text - b'0'),
        b'a'..=b'f' => Some(text - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(encode(&[0, 10, 255]), "000aff");
        assert_eq!(decode::<3>("000aff"), Some([0, 10, 255]));
        for bad in ["000af", "000afff", "000aFF", "000ag0", "", "é0aff"] {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
    }
}
