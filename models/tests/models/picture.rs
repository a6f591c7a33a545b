//! Every format, and every way to be no picture.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use potluck_models::{MAX_BYTES, Picture, PictureError, decode, samples};

fn golden(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pictures");
    fs::read(folder.join(name)).unwrap()
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = ((y * picture.width() + x) * 3) as usize;
    let bytes = picture.pixels();
    [bytes[at], bytes[at + 1], bytes[at + 2]]
}

/// The middle of each quarter has its colour.
fn assert_quarters(name: &str, colours: [[u8; 3]; 4], slack: u8) {
    let picture = decode(&golden(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!((picture.width(), picture.height()), (32, 24), "{name}");
    for ((x, y), want) in [(8, 6), (24, 6), (8, 18), (24, 18)].into_iter().zip(colours) {
        let got = pixel(&picture, x, y);
        let near = got.iter().zip(want).all(|(a, b)| a.abs_diff(b) <= slack);
        assert!(near, "{name} at {x},{y}: {got:?}, expected {want:?}");
    }
}

const COLOURS: [[u8; 3]; 4] = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]];

#[test]
fn every_format_gives_the_same_picture() {
    for name in [
        "plain.png",
        "palette.png",
        "alpha.png",
        "plain.bmp",
        "plain.gif",
        "animated.gif",
        "lossless.webp",
        "alpha.webp",
        "plain.tif",
        "lzw.tif",
        "big.tif",
    ] {
        assert_quarters(name, COLOURS, 0);
    }
    for name in ["plain.jpg", "progressive.jpg", "subsampled.jpg", "cmyk.jpg"] {
        assert_quarters(name, COLOURS, 8);
    }
    assert_quarters("lossy.webp", COLOURS, 24);
}

#[test]
fn grey_is_the_usual_weighted_sum() {
    // ITU-R 601: 0.299 R + 0.587 G + 0.114 B.
    let grey = [[76; 3], [150; 3], [29; 3], [255; 3]];
    assert_quarters("grey.jpg", grey, 3);
    assert_quarters("grey16.png", grey, 1);
}

#[test]
fn exif_orientation_is_applied() {
    for orientation in 1..=8 {
        assert_quarters(&format!("orientation{orientation}.jpg"), COLOURS, 8);
    }
}

#[test]
fn no_picture_gets_its_reason() {
    assert_eq!(decode(b"").unwrap_err(), PictureError::Empty);
    assert_eq!(decode(b"just words, not a picture").unwrap_err(), PictureError::NotAPicture);
    assert_eq!(decode(&[0; 5000]).unwrap_err(), PictureError::NotAPicture);
    assert_eq!(decode(b"\0\0\0\x20ftypmp42 a film").unwrap_err(), PictureError::NotAPicture);
    for (head, what) in
        [(&b"\0\0\0\x20ftypheic\0\0\0\0"[..], "HEIC"), (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF")]
    {
        assert_eq!(decode(head).unwrap_err(), PictureError::Unsupported { what: what.into() });
    }
    let bytes = MAX_BYTES as u64 + 1;
    assert_eq!(
        decode(&vec![0xff; MAX_BYTES + 1]).unwrap_err(),
        PictureError::TooManyBytes { bytes }
    );
}

#[test]
fn huge_headers_are_refused_at_once() {
    let side: u32 = 100_000;
    let mut png = golden("plain.png");
    png[16..20].copy_from_slice(&side.to_be_bytes());
    png[20..24].copy_from_slice(&side.to_be_bytes());
    // The header's checksum must fit again, or it is merely damaged.
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let mut bmp = golden("plain.bmp");
    bmp[18..22].copy_from_slice(&side.to_le_bytes());
    bmp[22..26].copy_from_slice(&side.to_le_bytes());
    let mut gif = golden("plain.gif");
    gif[6..10].fill(0xff);
    let mut jpeg = golden("plain.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].fill(0xff);
    let mut tiff = golden("plain.tif");
    // Width, height, and the rows in the one strip.
    for tag in [0x0100u16, 0x0101, 0x0116] {
        // A directory entry: tag, type LONG or SHORT, count 1, value; written anew as LONG.
        let [low, high] = tag.to_le_bytes();
        let is_entry = |four: &[u8]| four[..2] == [low, high] && matches!(four[2..], [3 | 4, 0]);
        let entry = tiff.windows(4).rposition(is_entry).unwrap();
        tiff[entry + 2] = 4;
        tiff[entry + 8..entry + 12].copy_from_slice(&side.to_le_bytes());
    }
    let all = [("png", png), ("bmp", bmp), ("gif", gif), ("jpeg", jpeg), ("tiff", tiff)];
    for (name, bytes) in all {
        let start = Instant::now();
        let error = decode(&bytes).unwrap_err();
        assert!(
            matches!(error, PictureError::TooLarge { width, .. } if width >= 65_535),
            "{name}: {error:?}"
        );
        // Not a measurement: filling ten thousand million pixels would take minutes.
        assert!(start.elapsed() < Duration::from_secs(20), "{name}");
    }
}

#[test]
fn files_that_were_cut_short_are_refused() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pictures");
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap())
        })
        .collect();
    files.extend(samples().iter().map(|sample| (sample.name.to_owned(), sample.bytes.to_vec())));
    for (name, bytes) in files {
        for share in [10, 30, 50, 70] {
            let cut = &bytes[..bytes.len() * share / 100];
            // Some decoders cannot tell a missing end from damage; none may give a picture. A GIF's second
            // frame, which is not decoded, may be missing.
            let result = decode(cut);
            let fine = name == "animated.gif" && share >= 50;
            assert!(fine || result.is_err(), "{share} % of {name} gave a picture");
        }
    }
    let sample = samples()[0].bytes;
    assert_eq!(decode(&sample[..sample.len() / 2]).unwrap_err(), PictureError::Truncated);
    let png = golden("plain.png");
    assert_eq!(decode(&png[..png.len() - 20]).unwrap_err(), PictureError::Truncated);
}

/// What others do, too: Pillow 12 opens these files, and refuses those that lack pixels.
#[test]
fn a_jpeg_that_lacks_only_its_end_is_taken_and_told() {
    let mut files: Vec<_> =
        ["plain.jpg", "progressive.jpg", "subsampled.jpg", "cmyk.jpg", "grey.jpg"]
            .map(|name| (name, golden(name)))
            .into();
    files.extend(samples().iter().map(|sample| (sample.name, sample.bytes.to_vec())));
    for (name, bytes) in files {
        let whole = decode(&bytes).unwrap();
        assert!(!whole.lacks_end(), "{name}");
        let scan = bytes.strip_suffix(&[0xff, 0xd9]).unwrap();
        let picture = decode(scan).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(picture.lacks_end() && picture.pixels() == whole.pixels(), "{name}");
        let lacking = decode(&scan[..scan.len() - scan.len() / 20]).unwrap_err();
        assert_eq!(lacking, PictureError::Truncated, "{name}");
    }
}

#[test]
fn kinds_of_tiff_are_read_or_named() {
    let strange = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/strange");
        decode(&fs::read(format!("{folder}/{name}")).unwrap())
    };
    for (name, what) in [
        ("palette.tif", "TIFF (palette)"),
        ("ycbcr.tif", "TIFF (YCbCr)"),
        ("lab.tif", "TIFF (CIELab)"),
    ] {
        let what = what.to_owned();
        assert_eq!(strange(name).unwrap_err(), PictureError::Unsupported { what }, "{name}");
    }
    let bilevel = strange("bilevel.tif").unwrap();
    assert_eq!((bilevel.width(), bilevel.height()), (32, 24));
}

#[test]
fn a_picture_without_pixels_is_not_too_large() {
    let mut gif = golden("plain.gif");
    // Of the screen, and of the picture behind it.
    gif[6..10].fill(0);
    let mut bmp = golden("plain.bmp");
    bmp[18..26].fill(0);
    let mut tiff = golden("plain.tif");
    let entry = tiff.windows(4).rposition(|four| four[..2] == [0, 1] && four[3] == 0).unwrap();
    tiff[entry + 8..entry + 12].fill(0);
    for (name, bytes) in [("gif", gif), ("bmp", bmp), ("tiff", tiff)] {
        let error = decode(&bytes).unwrap_err();
        assert!(!matches!(error, PictureError::TooLarge { .. }), "{name}: {error:?}");
        assert!(!error.to_string().contains("0 x 0"), "{name}: {error}");
    }
}

/// Damage of every kind may be noticed or not, but never ends the process or takes long.
#[test]
fn damaged_files_never_panic() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pictures");
    let mut files: Vec<Vec<u8>> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    files.extend(samples().iter().map(|sample| sample.bytes.to_vec()));
    // More rounds for a night: POTLUCK_FUZZ=100.
    let rounds: usize =
        std::env::var("POTLUCK_FUZZ").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut noticed = 0;
    for bytes in &files {
        for length in 0..bytes.len().min(700) {
            noticed += u32::from(decode(&bytes[..length]).is_err());
        }
        for _ in 0..rounds * if bytes.len() > 20_000 { 20 } else { 150 } {
            let mut damaged = bytes.clone();
            for _ in 0..=next(6) {
                let at = next(damaged.len());
                damaged[at] ^= 1 << next(8);
            }
            match decode(&damaged) {
                Ok(picture) => assert!(!picture.pixels().is_empty()),
                // A decoder that panics is caught, but is a bug that should be known.
                Err(error) => assert!(!error.to_string().contains("gave up"), "{error}"),
            }
        }
    }
    assert!(noticed > 1000, "{noticed}");
}

#[test]
fn every_error_is_a_sentence() {
    let too_large = PictureError::TooLarge { width: 100_000, height: 100_000 };
    assert_eq!(
        too_large.to_string(),
        "the picture is too large: 100000 x 100000 pixels, at most 100 megapixels are taken"
    );
}

/// CRC-32 of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    })
}
