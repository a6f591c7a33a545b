//! Whether a file may go to the cloud as it is: it has nothing but pixels, and any decoder reads
//! it the same way. Comments, places, cameras, thumbnails and what hides behind the end all stay at
//! home, because a file with anything that is not known here is made anew.

/// `image/jpeg` or `image/png` of such a file, which has been decoded before.
pub fn mime(bytes: &[u8]) -> Option<&'static str> {
    if jpeg(bytes).is_some() { Some("image/jpeg") } else { png(bytes).map(|()| "image/png") }
}

/// Tables, one frame of 8 bits in grey or three colours, scans, and a bare JFIF header (ITU T.81,
/// annex B; ITU T.871).
fn jpeg(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let (&[0xff, marker], after) = rest.split_first_chunk::<2>()? else { return None };
        if marker == 0xd9 {
            return after.is_empty().then_some(());
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        let segment = after.get(2..length)?;
        rest = &after[length..];
        match marker {
            // Quantization and Huffman tables.
            0xdb | 0xc4 => {}
            // Restart interval.
            0xdd if segment.len() == 2 => {}
            // Without a thumbnail.
            0xe0 if segment.starts_with(b"JFIF\0") && segment.len() == 14 => {}
            // Baseline, extended and progressive frames.
            0xc0..=0xc2 if segment.first()? == &8 && matches!(segment.get(5)?, 1 | 3) => {}
            0xda => rest = &rest[scan(rest)?..],
            _ => return None,
        }
    }
}

/// Where the coded pixels end: at a marker that is neither a zero byte nor a restart.
fn scan(bytes: &[u8]) -> Option<usize> {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xd0..=0xd7 | 0xff);
    bytes.windows(2).position(is_marker)
}

/// 8 bits in grey or three colours, and the chunks that say how bright and large these are (PNG
/// specification, third edition).
fn png(bytes: &[u8]) -> Option<()> {
    let mut rest = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n")?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let data = after.get(..length)?;
        // A checksum follows.
        rest = after.get(length.checked_add(4)?..)?;
        match kind {
            b"IHDR" if data.get(8) == Some(&8) && matches!(data.get(9), Some(0 | 2)) => {}
            b"IDAT" => {}
            b"gAMA" if length == 4 => {}
            b"sRGB" if length == 1 => {}
            b"cHRM" if length == 32 => {}
            b"pHYs" if length == 9 => {}
            b"sBIT" if matches!(length, 1 | 3) => {}
            b"IEND" => return (length == 0 && rest.is_empty()).then_some(()),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

    use super::mime;

    fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("written");
        bytes.into_inner()
    }

    fn picture() -> DynamicImage {
        RgbImage::from_fn(60, 50, |x, y| Rgb([x as u8, y as u8, (x * y) as u8])).into()
    }

    /// A segment behind the start marker.
    fn with_segment(jpeg: &[u8], marker: u8, segment: &[u8]) -> Vec<u8> {
        let length = u16::try_from(segment.len() + 2).expect("short").to_be_bytes();
        [&jpeg[..2], &[0xff, marker], &length, segment, &jpeg[2..]].concat()
    }

    /// A chunk so many bytes before the end; the checksum is not looked at.
    fn with_chunk(png: &[u8], before_end: usize, kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        let (head, tail) = png.split_at(png.len() - before_end);
        let length = (data.len() as u32).to_be_bytes();
        [head, &length, kind, data, &[0; 4], tail].concat()
    }

    #[test]
    fn pixels_alone_go_as_they_are() {
        let grey = DynamicImage::ImageLuma8(picture().to_luma8());
        for picture in [picture(), grey] {
            assert_eq!(mime(&encoded(&picture, ImageFormat::Jpeg)), Some("image/jpeg"));
            assert_eq!(mime(&encoded(&picture, ImageFormat::Png)), Some("image/png"));
        }
    }

    #[test]
    fn nothing_else_goes_with_a_jpeg() {
        let jpeg = encoded(&picture(), ImageFormat::Jpeg);
        let told: [(u8, &[u8]); 7] = [
            (0xdd, b"more than an interval"),
            (0xe1, b"Exif\0\0MM\0\x2a"),
            (0xe1, b"http://ns.adobe.com/xap/1.0/\0<x/>"),
            (0xe2, b"ICC_PROFILE\0\x01\x01"),
            (0xed, b"Photoshop 3.0\08BIM\x04\x04 city"),
            (0xfe, b"taken at home"),
            (0xe0, b"JFXX\0\x10 a thumbnail"),
        ];
        for (marker, segment) in told {
            assert_eq!(mime(&with_segment(&jpeg, marker, segment)), None, "{segment:?}");
        }
        let thumbnail = [b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x01".as_slice(), &[9; 3]].concat();
        assert_eq!(mime(&with_segment(&jpeg, 0xe0, &thumbnail)), None);
        assert_eq!(mime(&[&jpeg[..], b"behind the end"].concat()), None);
        assert_eq!(mime(&jpeg[..jpeg.len() - 2]), None);
        assert_eq!(mime(&[]), None);
    }

    #[test]
    fn nothing_else_goes_with_a_png() {
        let png = encoded(&picture(), ImageFormat::Png);
        let kinds: [&[u8; 4]; 7] = [b"eXIf", b"iTXt", b"tEXt", b"zTXt", b"tIME", b"iCCP", b"acTL"];
        for kind in kinds {
            // Before the end chunk, behind the pixels.
            assert_eq!(mime(&with_chunk(&png, 12, kind, b"secret")), None, "{kind:?}");
        }
        assert_eq!(mime(&[&png[..], b"behind the end"].concat()), None);
        assert_eq!(mime(&with_chunk(&png, 12, b"pHYs", &[0; 9])), Some("image/png"));
        for kind in [b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"sBIT"] {
            assert_eq!(mime(&with_chunk(&png, 12, kind, &[7; 100])), None, "{kind:?}");
        }
        let end_with_more = with_chunk(&png[..png.len() - 12], 0, b"IEND", b"secret");
        assert_eq!(mime(&end_with_more), None);
        let alpha = DynamicImage::ImageRgba8(picture().to_rgba8());
        assert_eq!(mime(&encoded(&alpha, ImageFormat::Png)), None);
    }

    /// Cut anywhere, or with any byte changed, nothing panics.
    #[test]
    fn broken_files_are_not_plain_and_not_fatal() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png] {
            let file = encoded(&picture(), format);
            for end in 0..file.len() {
                assert_eq!(mime(&file[..end]), None);
            }
            for at in 0..file.len().min(700) {
                for value in [0, 0xff] {
                    let mut bad = file.clone();
                    bad[at] = value;
                    let _ = mime(&bad);
                }
            }
        }
    }
}
