//! Parts of a picture as a network takes them: resized squares, normalised, channel by channel.

use fast_image_resize as resize;

use crate::picture::Picture;
use crate::region::Region;

/// How a byte becomes a number: `(x - mean) / divisor`.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub mean: [f32; 3],
    pub divisor: [f32; 3],
    /// Whether blue comes first.
    pub blue_first: bool,
}

/// The narrowest part that is resized, in pixels.
const SHORTEST: f64 = 1.0;

/// The picture made smaller such that its longer side is `longest`, and the factor; `None` when it is that
/// small already.
pub(crate) fn shrunk(picture: &Picture, longest: u32) -> Result<Option<(Picture, f32)>, String> {
    let side = picture.width().max(picture.height());
    if side <= longest {
        return Ok(None);
    }
    let factor = f64::from(longest) / f64::from(side);
    let scaled = |side: u32| ((f64::from(side) * factor).round() as u32).max(1);
    let small = resized(picture, scaled(picture.width()), scaled(picture.height()))?;
    Ok(Some((small, factor as f32)))
}

/// The whole picture in another size, by the mean of the pixels that fall together.
pub(crate) fn resized(picture: &Picture, width: u32, height: u32) -> Result<Picture, String> {
    let whole = (0.0, 0.0, f64::from(picture.width()), f64::from(picture.height()));
    let pixels = part(picture, whole, (width, height), resize::FilterType::Box)?;
    Picture::from_rgb(width, height, pixels).ok_or_else(|| "a picture without pixels".into())
}

/// A square region as `side` x `side` RGB bytes; what lies outside the picture is black.
pub(crate) fn square(
    picture: &Picture,
    region: &Region,
    side: u32,
    filter: resize::FilterType,
) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; (side * side * 3) as usize];
    let scale = f64::from(side) / f64::from(region.width()).max(f64::MIN_POSITIVE);
    let (left, top) = (f64::from(region.left), f64::from(region.top));
    // The part inside, on the grid of the target, so that it can be pasted.
    let span = |from: f64, limit: u32| {
        let first = ((-from).max(0.0) * scale).round().min(f64::from(side)) as u32;
        let end = ((f64::from(limit) - from) * scale).round().clamp(0.0, f64::from(side)) as u32;
        (first, end.saturating_sub(first))
    };
    let ((x, width), (y, height)) = (span(left, picture.width()), span(top, picture.height()));
    if width == 0 || height == 0 {
        return Ok(bytes);
    }
    let inner = |from: f64, first: u32, count: u32, limit: u32| {
        let start = (from + f64::from(first) / scale).clamp(0.0, f64::from(limit) - SHORTEST);
        let length = (f64::from(count) / scale).clamp(SHORTEST, f64::from(limit) - start);
        (start, length)
    };
    let (from_x, across) = inner(left, x, width, picture.width());
    let (from_y, down) = inner(top, y, height, picture.height());
    let inside = part(picture, (from_x, from_y, across, down), (width, height), filter)?;
    for row in 0..height {
        let to = (((y + row) * side + x) * 3) as usize;
        let from = (row * width * 3) as usize;
        let length = (width * 3) as usize;
        bytes[to..to + length].copy_from_slice(&inside[from..from + length]);
    }
    Ok(bytes)
}

/// `(x, y, width, height)` of the picture in another size; filters are widened when shrinking, as Pillow does.
pub(crate) fn part(
    picture: &Picture,
    (x, y, width, height): (f64, f64, f64, f64),
    (to_width, to_height): (u32, u32),
    filter: resize::FilterType,
) -> Result<Vec<u8>, String> {
    let kind = resize::PixelType::U8x3;
    let source =
        resize::images::ImageRef::new(picture.width(), picture.height(), picture.pixels(), kind)
            .map_err(|error| error.to_string())?;
    let mut target = resize::images::Image::new(to_width, to_height, kind);
    let options = resize::ResizeOptions::new()
        .resize_alg(resize::ResizeAlg::Convolution(filter))
        .use_alpha(false)
        .crop(x, y, width, height);
    resize::Resizer::new()
        .resize(&source, &mut target, &options)
        .map_err(|error| error.to_string())?;
    Ok(target.into_vec())
}

/// RGB bytes as normalised numbers, one plane a channel.
pub(crate) fn planes(bytes: &[u8], scale: &Scale) -> Vec<f32> {
    let mut values = Vec::with_capacity(bytes.len());
    for channel in 0..3 {
        let source = if scale.blue_first { 2 - channel } else { channel };
        let number = |byte: &u8| (f32::from(*byte) - scale.mean[channel]) / scale.divisor[channel];
        values.extend(bytes.iter().skip(source).step_by(3).map(number));
    }
    values
}

/// The colour at a position, between pixels by their distance. Pixel (0, 0) has its centre at (0.5, 0.5).
pub(crate) fn at(picture: &Picture, (x, y): (f32, f32)) -> [f32; 3] {
    let (x, y) = (x - 0.5, y - 0.5);
    let (left, top) = (x.floor(), y.floor());
    let mut colour = [0.0; 3];
    for (dx, dy) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
        let (column, row) = (left + dx, top + dy);
        let weight = (1.0 - (x - column).abs()) * (1.0 - (y - row).abs());
        let (width, height) = (picture.width() as f32, picture.height() as f32);
        if column >= 0.0 && row >= 0.0 && column < width && row < height {
            let start = (row as usize * picture.width() as usize + column as usize) * 3;
            if let Some(pixel) = picture.pixels().get(start..start + 3) {
                colour = std::array::from_fn(|channel| {
                    colour[channel] + weight * f32::from(pixel[channel])
                });
            }
        }
    }
    colour
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_is_black() {
        let picture = Picture::from_rgb(4, 4, vec![200; 48]).unwrap();
        let region = Region { left: -4.0, top: 0.0, right: 4.0, bottom: 8.0 };
        let bytes = square(&picture, &region, 4, resize::FilterType::Box).unwrap();
        let reds: Vec<u8> = bytes.iter().step_by(3).copied().collect();
        assert_eq!(reds, [0, 0, 200, 200, 0, 0, 200, 200, 0, 0, 0, 0, 0, 0, 0, 0]);
        let far = Region { left: 50.0, top: 50.0, right: 60.0, bottom: 60.0 };
        assert!(
            square(&picture, &far, 4, resize::FilterType::Box).unwrap().iter().all(|b| *b == 0)
        );
    }

    #[test]
    fn tiny_pictures_and_thin_parts_work() {
        let picture = Picture::from_rgb(1, 1, vec![9, 8, 7]).unwrap();
        for (left, side) in [(0.0, 1.0), (-30.0, 64.0), (0.9, 0.05), (-0.99, 1.0)] {
            let region = Region { left, top: left, right: left + side, bottom: left + side };
            square(&picture, &region, 48, resize::FilterType::Bilinear).unwrap();
        }
        assert!(shrunk(&picture, 10).unwrap().is_none());
        let long = Picture::from_rgb(3000, 1, vec![5; 9000]).unwrap();
        let (small, factor) = shrunk(&long, 1000).unwrap().unwrap();
        assert_eq!((small.width(), small.height()), (1000, 1));
        assert!((factor - 1.0 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn channels_are_planes() {
        let scale = Scale { mean: [1.0, 2.0, 3.0], divisor: [2.0; 3], blue_first: false };
        assert_eq!(planes(&[1, 2, 3, 5, 6, 7], &scale), [0.0, 2.0, 0.0, 2.0, 0.0, 2.0]);
        let scale = Scale { mean: [0.0; 3], divisor: [1.0; 3], blue_first: true };
        assert_eq!(planes(&[1, 2, 3, 5, 6, 7], &scale), [3.0, 7.0, 2.0, 6.0, 1.0, 5.0]);
    }

    #[test]
    fn colours_lie_between_pixels() {
        let picture = Picture::from_rgb(2, 1, vec![10, 20, 30, 30, 40, 50]).unwrap();
        assert_eq!(at(&picture, (0.5, 0.5)), [10.0, 20.0, 30.0]);
        assert_eq!(at(&picture, (1.0, 0.5)), [20.0, 30.0, 40.0]);
        assert_eq!(at(&picture, (9.0, 9.0)), [0.0; 3]);
        assert_eq!(at(&picture, (f32::NAN, 0.0)), [0.0; 3]);
    }
}
