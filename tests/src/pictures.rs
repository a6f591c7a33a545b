//! Pictures of odd kinds.

use std::io::Cursor;

use image::{Frame, RgbImage, codecs::gif::GifEncoder};

/// A JPEG with an EXIF orientation: an APP1 segment behind the start marker (EXIF 2.3, 4.5 and 4.6).
pub fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

/// An animated GIF of these pictures.
pub fn animated(pictures: &[RgbImage]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = GifEncoder::new(&mut bytes);
    for picture in pictures {
        let rgba = image::DynamicImage::ImageRgb8(picture.clone()).to_rgba8();
        encoder.encode_frame(Frame::new(rgba)).expect("written to memory");
    }
    drop(encoder);
    bytes.into_inner()
}

/// A woman's face as a JPEG in the four inks of print, inverted as Adobe writes them. Made by
/// Pillow from the sample of the models.
pub fn cmyk() -> &'static [u8] {
    include_bytes!("../tests/it/data/cmyk.jpg")
}
