//! `potluck faces` as people use it: on a neighbour, with copies, and what may leave the network.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use potluck_tests::{
    facepp::{Does, Mock, SECRET, write_key},
    pictures::{animated, cmyk, turned},
    process::{self, Process, Up},
};
use serde_json::Value;

/// A picture of one woman's face, in a file.
fn portrait(folder: &Path) -> anyhow::Result<PathBuf> {
    let file = folder.join("portrait.jpg");
    std::fs::write(&file, potluck_models::face_sample().bytes)?;
    Ok(file)
}

fn faces(node: &Process, args: &[&str], files: &[&Path]) -> anyhow::Result<process::Ran> {
    let mut command = node.command(["faces", "--json"]);
    command.args(args).args(files);
    process::run(command)
}

#[test]
fn a_neighbour_finds_the_face_and_the_copy_shows_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let server = Up::on_loopback("server").args(["--offer", "faces"]).start()?;
    let join = ["--offer", "chat", "--join", server.address()];
    let asker = Up::on_loopback("asker").args(join).start()?;
    asker.wait_for_peers(&["server"])?;
    let (file, copy) = (portrait(folder.path())?, folder.path().join("copy.png"));
    let copy_text = copy.to_str().expect("a plain name");
    let ran = faces(&asker, &["-o", copy_text], &[&file])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let seen = &ran.json()[0];
    assert_eq!(seen["served_by"]["id"], server.id());
    assert_eq!(seen["source"], "local");
    let found = seen["faces"].as_array().expect("a list");
    assert_eq!(found.len(), 1, "{seen}");
    assert_eq!(found[0]["gender"]["value"], "female");
    let years = found[0]["age"]["years"].as_f64().expect("a number");
    assert!((15.0..60.0).contains(&years), "{years}");
    assert_eq!(found[0]["beauty"], Value::Null);
    assert!(found[0]["landmarks"]["left_eye"]["x"].is_number());
    let (before, after) = (image::open(&file)?.to_rgb8(), image::open(&copy)?.to_rgb8());
    assert_eq!(before.dimensions(), after.dimensions());
    // The frame is drawn, and the middle of the face is left as it was, but for JPEG's own noise.
    let at = |key: &str| found[0]["box"][key].as_f64().expect("a number");
    let (x, y) = (at("x") + at("width") / 2.0, at("y") + at("height") / 2.0);
    let (x, y) = (x as u32, y as u32);
    assert_eq!(before.get_pixel(x, y), after.get_pixel(x, y));
    let above = at("y").round() as u32 - 1;
    assert_ne!(before.get_pixel(x, above), after.get_pixel(x, above));
    Ok(())
}

/// Pictures of odd kinds, with the number of faces on each.
fn odd_pictures() -> Vec<(&'static str, Vec<u8>, usize)> {
    let portrait = image::load_from_memory(potluck_models::face_sample().bytes).expect("a picture");
    let write = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("written");
        bytes.into_inner()
    };
    let dot = DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb([9, 9, 9])));
    let grey = DynamicImage::ImageLuma8(portrait.to_luma8());
    let alpha = DynamicImage::ImageRgba8(portrait.to_rgba8());
    let black = RgbImage::new(portrait.width(), portrait.height());
    let film = animated(&[portrait.to_rgb8(), black]);
    // Not square, so that a turned picture is known by its size.
    let upright = portrait.crop_imm(0, 0, 512, 400);
    let on_its_side = write(&upright.rotate270(), ImageFormat::Jpeg);
    let large = portrait.resize_exact(5000, 4000, image::imageops::FilterType::Nearest);
    vec![
        ("dot.png", write(&dot, ImageFormat::Png), 0),
        ("grey.jpg", write(&grey, ImageFormat::Jpeg), 1),
        ("alpha.png", write(&alpha, ImageFormat::Png), 1),
        ("film.gif", film, 1),
        ("ink.jpg", cmyk().to_vec(), 1),
        ("turned.jpg", turned(&on_its_side, 6), 1),
        ("twenty-megapixels.bmp", write(&large, ImageFormat::Bmp), 1),
    ]
}

/// Where YuNet finds the face of the portrait, which has 512 x 512 pixels: `yunet.json` of the
/// reference pictures. Left, top, width, height.
const FACE: [f64; 4] = [180.7, 55.5, 90.6, 121.8];

/// Shared area over the area of both, with the face where it is in a picture so much larger.
fn overlap(found: &Value, scale: (f64, f64)) -> f64 {
    let of = |key: &str| found["box"][key].as_f64().expect("a number");
    let [x, y, width, height] = FACE;
    let side = |start: f64, length: f64, other: f64, others: f64| {
        ((start + length).min(other + others) - start.max(other)).max(0.0)
    };
    let shared = side(of("x"), of("width"), x * scale.0, width * scale.0)
        * side(of("y"), of("height"), y * scale.1, height * scale.1);
    let both = of("width") * of("height") + width * height * scale.0 * scale.1;
    shared / (both - shared)
}

#[test]
fn odd_pictures_are_answered_and_what_is_none_is_an_error() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Up::on_loopback("node").args(["--offer", "faces"]).start()?;
    let mut files = Vec::new();
    let odd = odd_pictures();
    for (name, bytes, _) in &odd {
        files.push(folder.path().join(name));
        std::fs::write(files.last().expect("just added"), bytes)?;
    }
    files.push(folder.path().join("text.jpg"));
    std::fs::write(files.last().expect("just added"), "not a picture")?;
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let out = folder.path().join("copies");
    let ran = faces(&node, &["-o", out.to_str().expect("a plain name")], &files)?;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let seen = ran.json();
    for (place, (name, _, count)) in odd.iter().enumerate() {
        let found = seen[place]["faces"].as_array().unwrap_or_else(|| panic!("{name}: {seen}"));
        assert_eq!(found.len(), *count, "{name}: {}", seen[place]);
        let copy = seen[place]["annotated"].as_str().expect("a copy");
        let size = image::image_dimensions(copy)?;
        assert_eq!(seen[place]["width"], size.0, "{name}");
        assert_eq!(seen[place]["height"], size.1, "{name}");
        // All show the whole portrait but one, which is cut and must stand upright.
        let scale = match *name {
            "turned.jpg" => {
                assert_eq!(size, (512, 400));
                (1.0, 1.0)
            }
            _ => (f64::from(size.0) / 512.0, f64::from(size.1) / 512.0),
        };
        for face in found {
            let overlap = overlap(face, scale);
            assert!(overlap >= 0.7, "{name}: {overlap} {face}");
        }
    }
    assert_eq!(seen[odd.len()]["error"]["kind"], "bad_input");
    Ok(())
}

#[test]
fn a_picture_leaves_only_when_its_owner_said_so() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let mock = runtime.block_on(Mock::start());
    let folder = tempfile::tempdir()?;
    let file = portrait(folder.path())?;
    let data = |name: &str, settings: &str| -> anyhow::Result<PathBuf> {
        let dir = folder.path().join(name);
        // Made by the program, so that it has the right mode.
        process::run(process::command(None, ["id", "--data-dir", dir.to_str().expect("plain")]))?;
        std::fs::write(dir.join("config.toml"), settings)?;
        Ok(dir)
    };
    let settings = format!("[facepp]\nbase = \"{}\"\nallow = \"everyone\"\n", mock.base());
    let holder = data("holder", &settings)?;
    write_key(&holder, SECRET);
    let offers = ["--offer", "facepp", "--offer", "faces"];
    let holder = Up::on_loopback("holder").args(offers).start_in(&holder)?;
    let join = ["--offer", "chat", "--join", holder.address()];
    let careful = Up::on_loopback("careful").args(join).start_in(&data("careful", "")?)?;
    let free = data("free", "[faces]\ncloud = true\n")?;
    let free = Up::on_loopback("free").args(join).start_in(&free)?;
    for node in [&careful, &free] {
        process::wait_until(|| Ok(node.json(["peers"])?.to_string().contains("facepp/1")))?;
    }
    let source = |node: &Process, via: &[&str]| -> anyhow::Result<Value> {
        let ran = faces(node, via, &[&file])?;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        Ok(ran.json()[0]["source"].clone())
    };
    assert_eq!(source(&careful, &[])?, "local");
    assert_eq!(source(&careful, &["--via", "local"])?, "local");
    assert_eq!(source(&free, &["--via", "local"])?, "local");
    assert_eq!(mock.pictures(), 0, "a picture left the network");
    assert_eq!(source(&careful, &["--via", "facepp"])?, "facepp");
    assert_eq!(source(&free, &[])?, "facepp");
    // What the cloud does not take, a neighbour looks at.
    let dot = folder.path().join("dot.png");
    RgbImage::from_pixel(1, 1, Rgb([9, 9, 9])).save(&dot)?;
    let ran = faces(&free, &[], &[&dot])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let seen = &ran.json()[0];
    assert_eq!((&seen["source"], &seen["faces"]), (&"local".into(), &serde_json::json!([])));
    assert_eq!(seen["route"].as_array().map(Vec::len), Some(2), "{seen}");
    // And what it does not answer, while there is time.
    mock.always(Does::Hang);
    let plain = folder.path().join("plain.png");
    RgbImage::from_pixel(90, 90, Rgb([9, 9, 9])).save(&plain)?;
    let ran = faces(&free, &["--timeout", "12"], &[&plain])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()[0]["source"], "local");
    // Without anybody who has a key, `auto` looks here, and `facepp` says that nobody does.
    drop(holder);
    let alone = data("alone", "[faces]\ncloud = true\n")?;
    let alone = Up::on_loopback("alone").args(["--offer", "faces"]).start_in(&alone)?;
    let ran = faces(&alone, &["--via", "facepp", "--timeout", "5"], &[&file])?;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let ran = faces(&alone, &["--timeout", "30"], &[&file])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.json()[0]["source"], "local");
    Ok(())
}

/// An answer may have been paid for: it is told even when the copy cannot be written.
#[test]
fn what_was_found_is_told_without_a_copy() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Up::on_loopback("node").args(["--offer", "faces"]).start()?;
    let file = portrait(folder.path())?;
    let out = folder.path().join("copies");
    std::fs::create_dir(&out)?;
    // A folder stands where the copy would go.
    std::fs::create_dir(out.join("portrait-faces.jpg"))?;
    let ran = faces(&node, &["-o", out.to_str().expect("plain")], &[&file])?;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let seen = &ran.json()[0];
    assert_eq!(seen["faces"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!(seen["annotated"], Value::Null);
    assert!(seen["not_annotated"].as_str().is_some_and(|why| why.contains("portrait-faces.jpg")));
    Ok(())
}
