//! What kind of TIFF a file is, as far as the decoder cannot say it in words for people. TIFF 6.0, section 2; BigTIFF
//! differs in the width of its numbers.

/// Whether it begins as a TIFF whose offsets have 64 bits, which `image` does not guess.
pub(super) fn is_big(bytes: &[u8]) -> bool {
    bytes.starts_with(b"II\x2b\0\x08\0\0\0") || bytes.starts_with(b"MM\0\x2b\0\x08\0\0")
}

/// Why the decoder does not know the colours of a TIFF, in a word.
pub(super) fn unusual(bytes: &[u8]) -> &'static str {
    let Some(tags) = Tags::of(bytes) else {
        return "TIFF";
    };
    const BITS: u16 = 258;
    const PHOTOMETRIC: u16 = 262;
    const PLANAR: u16 = 284;
    match (tags.first(PHOTOMETRIC), tags.first(BITS), tags.first(PLANAR)) {
        (Some(3), ..) => "TIFF (palette)",
        (Some(6), ..) => "TIFF (YCbCr)",
        (Some(8..=10), ..) => "TIFF (CIELab)",
        (_, Some(2..=7), _) => "TIFF (2 to 7 bits)",
        (_, _, Some(2)) => "TIFF (planar)",
        _ => "TIFF",
    }
}

/// The first directory.
struct Tags<'a> {
    bytes: &'a [u8],
    little: bool,
    big: bool,
    /// Of the first entry.
    start: usize,
    count: usize,
}

impl<'a> Tags<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (little, big) = (bytes.starts_with(b"II"), is_big(bytes));
        let tags = |start, count| Self { bytes, little, big, start, count };
        let header = tags(0, 0);
        let (directory, width) = match big {
            true => (header.number(8, 8)?, 8),
            false => (header.number(4, 4)?, 2),
        };
        let directory = usize::try_from(directory).ok()?;
        let count = usize::try_from(header.number(directory, width)?).ok()?.min(4096);
        Some(tags(directory.checked_add(width)?, count))
    }

    /// The first value of a tag with numbers of 16 or 32 bits.
    fn first(&self, tag: u16) -> Option<u64> {
        let (entry, value, inside) = if self.big { (20, 12, 8) } else { (12, 8, 4) };
        let entries = (0..self.count).map(|index| self.start.saturating_add(index * entry));
        let at = entries.into_iter().find(|at| self.number(*at, 2) == Some(u64::from(tag)))?;
        let width = match self.number(at + 2, 2)? {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        let count = self.number(at + 4, if self.big { 8 } else { 4 })?;
        let here = at + value;
        let fits = count.checked_mul(width as u64).is_some_and(|bytes| bytes <= inside as u64);
        match fits {
            true => self.number(here, width),
            false => self.number(usize::try_from(self.number(here, inside)?).ok()?, width),
        }
    }

    fn number(&self, at: usize, width: usize) -> Option<u64> {
        let bytes = self.bytes.get(at..at.checked_add(width)?)?;
        let add = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        Some(match self.little {
            true => bytes.iter().rev().fold(0, add),
            false => bytes.iter().fold(0, add),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with short values, in either order of bytes and either width.
    fn file(little: bool, big: bool, tags: &[(u16, u16)]) -> Vec<u8> {
        let number = |value: u64, width: usize| {
            let mut bytes = value.to_be_bytes()[8 - width..].to_vec();
            if little {
                bytes.reverse();
            }
            bytes
        };
        let mut file = if little { b"II".to_vec() } else { b"MM".to_vec() };
        file.extend(number(if big { 43 } else { 42 }, 2));
        if big {
            file.extend([number(8, 2), number(0, 2), number(16, 8)].concat());
        } else {
            file.extend(number(8, 4));
        }
        file.extend(number(tags.len() as u64, if big { 8 } else { 2 }));
        for (tag, value) in tags {
            let wide = if big { 8 } else { 4 };
            file.extend([number((*tag).into(), 2), number(3, 2), number(1, wide)].concat());
            let mut value = number((*value).into(), 2);
            value.resize(wide, 0);
            file.extend(value);
        }
        file
    }

    #[test]
    fn unusual_kinds_are_named() {
        for (little, big) in [(true, false), (false, false), (true, true), (false, true)] {
            let named = |tags: &[(u16, u16)]| unusual(&file(little, big, tags));
            assert_eq!(named(&[(256, 9), (258, 8), (262, 3)]), "TIFF (palette)");
            assert_eq!(named(&[(258, 8), (262, 6)]), "TIFF (YCbCr)");
            assert_eq!(named(&[(258, 4), (262, 1)]), "TIFF (2 to 7 bits)");
            assert_eq!(named(&[(258, 8), (262, 2), (284, 2)]), "TIFF (planar)");
            assert_eq!(named(&[(258, 8), (262, 2)]), "TIFF");
            assert_eq!(is_big(&file(little, big, &[])), big);
            // Cut anywhere, or of anything.
            let whole = file(little, big, &[(258, 4), (262, 1)]);
            for end in 0..whole.len() {
                unusual(&whole[..end]);
            }
        }
        assert_eq!(unusual(&[0xff; 64]), "TIFF");
    }
}
