//! Pictures that Face++ would not take as they are: what is found is told in the pixels of the
//! upright original.

use image::ImageFormat;

use potluck_tests::pictures::{animated, cmyk, turned};

use super::{Alone, drawn, encoded};

/// The one face, within some pixels.
fn near(answer: &potluck::services::facepp::Response, expected: [f32; 4], tolerance: f32) {
    let [face] = answer.faces.as_slice() else { panic!("not one face: {answer:?}") };
    let is = [face.frame.x, face.frame.y, face.frame.width, face.frame.height];
    let off = is.iter().zip(expected).map(|(is, should)| (is - should).abs());
    assert!(off.clone().all(|off| off <= tolerance), "{is:?}, not {expected:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn turned_pictures_are_answered_upright() {
    let alone = Alone::start().await;
    let jpeg = encoded(&drawn((400, 304), [48, 16, 64, 80]), ImageFormat::Jpeg);
    // The stored rectangle is x 48 to 112, y 16 to 96 of 400 x 304. Upright, by the table of EXIF:
    // 3 is turned by half, 6 has its right side on top, 8 its left side.
    for (orientation, size, expected) in [
        (1, (400, 304), [48.0, 16.0, 64.0, 80.0]),
        (3, (400, 304), [288.0, 208.0, 64.0, 80.0]),
        (6, (304, 400), [208.0, 48.0, 80.0, 64.0]),
        (8, (304, 400), [16.0, 288.0, 80.0, 64.0]),
    ] {
        let answer = alone.ask(&turned(&jpeg, orientation)).await.expect("answered");
        assert_eq!((answer.width, answer.height), size, "orientation {orientation}");
        near(&answer, expected, 2.0);
        let sent = alone.mock.last().picture;
        assert!(!sent.windows(4).any(|four| four == b"Exif"), "EXIF tells where one lives");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_pictures_are_shrunk_and_the_places_are_not() {
    let alone = Alone::start().await;
    let wide = encoded(&drawn((6000, 3400), [4000, 1000, 800, 900]), ImageFormat::Jpeg);
    let answer = alone.ask(&wide).await.expect("answered");
    assert_eq!((answer.width, answer.height), (6000, 3400));
    near(&answer, [4000.0, 1000.0, 800.0, 900.0], 4.0);
    let sent = image::load_from_memory(&alone.mock.last().picture).expect("a picture");
    assert_eq!((sent.width(), sent.height()), (4096, 2321));

    // Too many bytes for its size: noise around the rectangle.
    let mut noisy = drawn((1400, 1000), [300, 200, 400, 500]);
    let mut seed = 7u32;
    for pixel in noisy.pixels_mut().filter(|pixel| pixel[0] != 255) {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Grey, so that no red appears by chance.
        *pixel = image::Rgb([seed.to_be_bytes()[0]; 3]);
    }
    let heavy = encoded(&noisy, ImageFormat::Bmp);
    assert!(heavy.len() > 2 << 20);
    let answer = alone.ask(&heavy).await.expect("answered");
    near(&answer, [300.0, 200.0, 400.0, 500.0], 6.0);
    assert!(alone.mock.last().picture.len() <= 2_000_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_that_potluck_reads_is_answered() {
    let alone = Alone::start().await;
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
        ImageFormat::WebP,
    ] {
        let file = encoded(&drawn((160, 128), [48, 32, 64, 48]), format);
        let answer = alone.ask(&file).await.unwrap_or_else(|e| panic!("{format:?}: {e}"));
        near(&answer, [48.0, 32.0, 64.0, 48.0], 2.0);
    }
}

/// Face++ takes one still picture in RGB: of a film the first one, of ink the colours.
#[tokio::test(flavor = "multi_thread")]
async fn films_and_ink_are_answered() {
    let alone = Alone::start().await;
    let first = drawn((160, 128), [48, 32, 64, 48]);
    let second = drawn((160, 128), [0, 0, 16, 16]);
    let film = animated(&[first, second]);
    let answer = alone.ask(&film).await.expect("answered");
    near(&answer, [48.0, 32.0, 64.0, 48.0], 2.0);
    let sent = alone.mock.last().picture;
    assert!(matches!(image::guess_format(&sent), Ok(ImageFormat::Jpeg | ImageFormat::Png)));

    alone.ask(cmyk()).await.expect("answered");
    let sent = alone.mock.last().picture;
    let frame = sent.windows(2).position(|pair| matches!(pair, [0xff, 0xc0..=0xc2]));
    let colours = sent[frame.expect("a JPEG frame") + 9];
    assert_eq!(colours, 3, "Face++ does not say that it takes CMYK");
}
