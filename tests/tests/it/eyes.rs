//! `potluck detect` and `potluck read` as people use them: on a neighbour, with copies, on odd pictures.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use potluck_tests::{
    pictures::{animated, cmyk, turned},
    process::{self, Process, Up},
};
use serde_json::Value;

fn put(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let file = folder.join(name);
    std::fs::write(&file, bytes)?;
    Ok(file)
}

fn run(
    node: &Process,
    command: &str,
    args: &[&str],
    files: &[&Path],
) -> anyhow::Result<process::Ran> {
    // Unoptimised, reading takes its time.
    let mut command = node.command([command, "--json", "--timeout", "300"]);
    command.args(args).args(files);
    process::run(command)
}

fn texts(seen: &Value) -> Vec<&str> {
    let lines = seen["lines"].as_array().unwrap_or_else(|| panic!("no lines: {seen}"));
    lines.iter().filter_map(|line| line["text"].as_str()).collect()
}

/// The node that serves and one that offers nothing of the kind.
fn two(offer: &str) -> anyhow::Result<(Process, Process)> {
    let server = Up::on_loopback("server").args(["--offer", offer]).start()?;
    let join = ["--offer", "chat", "--join", server.address()];
    let asker = Up::on_loopback("asker").args(join).start()?;
    asker.wait_for_peers(&["server"])?;
    Ok((server, asker))
}

#[test]
fn a_neighbour_finds_the_cat_and_the_copy_shows_it() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, asker) = two("detect")?;
    let file = put(folder.path(), "cat.jpg", potluck_models::things_sample().bytes)?;
    let copy = folder.path().join("copy.png");
    let ran = run(&asker, "detect", &["-o", copy.to_str().expect("a plain name")], &[&file])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let seen = &ran.json()[0];
    assert_eq!(seen["served_by"]["id"], server.id());
    let cat = &seen["things"][0];
    assert_eq!((&cat["name"], &cat["chinese"]), (&"cat".into(), &"猫".into()), "{seen}");
    assert!((0.4..=1.0).contains(&cat["confidence"].as_f64().expect("a number")));
    let (before, after) = (image::open(&file)?.to_rgb8(), image::open(&copy)?.to_rgb8());
    assert_eq!(before.dimensions(), after.dimensions());
    // Its frame is drawn, and what is inside stays.
    let at = |key: &str| cat["box"][key].as_f64().expect("a number");
    let right = (at("x") + at("width")).round() as u32;
    let row = (at("y") + at("height") * 0.8) as u32;
    assert_ne!(
        before.get_pixel(right.min(before.width() - 1), row),
        after.get_pixel(right.min(before.width() - 1), row)
    );
    let middle = ((at("x") + at("width") / 2.0) as u32, (at("y") + at("height") / 2.0) as u32);
    assert_eq!(before.get_pixel(middle.0, middle.1), after.get_pixel(middle.0, middle.1));
    Ok(())
}

#[test]
fn a_neighbour_reads_the_notice_in_order() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (server, asker) = two("ocr")?;
    let file = put(folder.path(), "notice.jpg", potluck_models::text_sample().bytes)?;
    let out = folder.path().join("copies");
    let only = ["--peer", server.id(), "-o", out.to_str().expect("a plain name")];
    let ran = run(&asker, "read", &only, &[&file])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let seen = &ran.json()[0];
    assert_eq!(seen["served_by"]["id"], server.id());
    let read = texts(seen);
    assert_eq!(read.len(), 6, "{read:?}");
    assert_eq!(read[..2], ["Potluck supper", "每人带一道菜"]);
    assert_eq!(read[4..], ["Please bring your own plate.", "请自带餐具，谢谢！"]);
    assert!(seen["annotated"].as_str().expect("a copy").ends_with("notice-text.jpg"));
    let mut plain = asker.command(["read", "--timeout", "300", "--lang", "zh"]);
    plain.arg(&file);
    let ran = process::run(plain)?;
    assert!(ran.out.contains("星期五晚上七点半，图书馆"), "{ran:?}");
    Ok(())
}

#[test]
fn odd_pictures_are_answered_and_what_is_none_is_an_error() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let offers = ["--offer", "detect", "--offer", "ocr"];
    let node = Up::on_loopback("node").args(offers).start()?;
    let notice = image::load_from_memory(potluck_models::text_sample().bytes)?;
    let write = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("written");
        bytes.into_inner()
    };
    let dot = DynamicImage::ImageRgb8(RgbImage::from_pixel(1, 1, Rgb([9, 9, 9])));
    let strip = DynamicImage::ImageRgb8(RgbImage::from_pixel(9000, 3, Rgb([200, 200, 200])));
    let on_its_side = write(&notice.rotate270(), ImageFormat::Jpeg);
    let large = notice.resize_exact(5000, 4000, image::imageops::FilterType::Triangle);
    let film = animated(&[notice.to_rgb8()]);
    // With the number of lines on each.
    let odd: Vec<(&str, Vec<u8>, usize)> = vec![
        ("dot.png", write(&dot, ImageFormat::Png), 0),
        ("strip.png", write(&strip, ImageFormat::Png), 0),
        ("grey.png", write(&DynamicImage::ImageLuma8(notice.to_luma8()), ImageFormat::Png), 6),
        ("film.gif", film, 6),
        ("turned.jpg", turned(&on_its_side, 6), 6),
        ("twenty-megapixels.bmp", write(&large, ImageFormat::Bmp), 6),
    ];
    let mut files = Vec::new();
    for (name, bytes, _) in &odd {
        files.push(put(folder.path(), name, bytes)?);
    }
    files.push(put(folder.path(), "ink.jpg", cmyk())?);
    files.push(put(folder.path(), "text.jpg", b"not a picture")?);
    files.push(put(folder.path(), "empty.png", b"")?);
    files.push(put(folder.path(), "half.jpg", &on_its_side[..on_its_side.len() / 2])?);
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    for command in ["detect", "read"] {
        let out = folder.path().join(command);
        let ran = run(&node, command, &["-o", out.to_str().expect("a plain name")], &files)?;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        let seen = ran.json();
        for (place, (name, _, lines)) in odd.iter().enumerate() {
            let copy = seen[place]["annotated"].as_str();
            let copy = copy.unwrap_or_else(|| panic!("{name}: {}", seen[place]));
            let size = image::image_dimensions(copy)?;
            assert_eq!(seen[place]["width"], size.0, "{name}");
            assert_eq!(seen[place]["height"], size.1, "{name}");
            if command == "read" {
                assert_eq!(texts(&seen[place]).len(), *lines, "{name}: {}", seen[place]);
            }
        }
        for place in odd.len() + 1..files.len() {
            assert_eq!(seen[place]["error"]["kind"], "bad_input", "{}", seen[place]);
        }
    }
    Ok(())
}

/// An empty wall has no text, and that is said.
#[test]
fn a_wall_says_that_there_is_no_text() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Up::on_loopback("node").args(["--offer", "ocr", "--offer", "detect"]).start()?;
    let wall =
        RgbImage::from_fn(400, 300, |x, y| Rgb([150 + (x / 20) as u8, 140 + (y / 20) as u8, 130]));
    let file = folder.path().join("wall.png");
    wall.save(&file)?;
    for (command, lang, said) in [
        ("read", "en", "No text in the picture"),
        ("read", "zh", "图片里没有文字"),
        ("detect", "en", "Nothing in the picture is of a kind that is known"),
        ("detect", "zh", "图片里没有认识的东西"),
    ] {
        let mut plain = node.command([command, "--timeout", "300", "--lang", lang]);
        plain.arg(&file);
        let ran = process::run(plain)?;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.out.contains(said), "{ran:?}");
    }
    Ok(())
}
