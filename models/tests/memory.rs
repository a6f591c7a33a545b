//! How much memory decoding takes, counted by the allocator of this program.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use flate2::{Compression, Crc, write::ZlibEncoder};
use image::{DynamicImage, ImageFormat, RgbImage};
use potluck_models::{
    CONFIDENT, Engine, EngineChoice, EngineConfig, PictureError, PixelBudget, READABLE, TextReader,
    ThingFinder, decode, decode_within, needed, samples,
};

/// Counts what is allocated now, and the most that ever was.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn grown(by: usize) {
    MOST.fetch_max(NOW.fetch_add(by, SeqCst) + by, SeqCst);
}

// SAFETY: every call goes to the system's allocator unchanged.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        unsafe { System.dealloc(at, layout) }
    }
    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let new = unsafe { System.realloc(at, layout, size) };
        if new == at && size <= layout.size() {
            NOW.fetch_sub(layout.size() - size, SeqCst);
        } else {
            // The old and the new place existed at once, or may have.
            grown(size);
            NOW.fetch_sub(layout.size(), SeqCst);
        }
        new
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `work` gives, and the most bytes that it had at once.
fn most<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(SeqCst);
    MOST.store(before, SeqCst);
    let done = work();
    (done, MOST.load(SeqCst) - before)
}

/// A PNG of one colour, turned by its EXIF orientation where one is given. `kind` is PNG's colour type.
fn png((width, height): (u32, u32), depth: u8, kind: u8, orientation: Option<u8>) -> Vec<u8> {
    let samples = match kind {
        0 | 3 => 1,
        2 => 3,
        4 => 2,
        _ => 4,
    };
    let mut header = [width.to_be_bytes(), height.to_be_bytes()].concat();
    header.extend([depth, kind, 0, 0, 0]);
    let mut pixels = ZlibEncoder::new(Vec::new(), Compression::best());
    let row = vec![0u8; 1 + (width as usize * samples * usize::from(depth)).div_ceil(8)];
    for _ in 0..height {
        pixels.write_all(&row).unwrap();
    }
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, b"IHDR", &header);
    if let Some(orientation) = orientation {
        let exif = [
            b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(),
            &[orientation, 0, 0],
        ];
        chunk(&mut file, b"eXIf", &[exif.concat(), vec![0; 4]].concat());
    }
    chunk(&mut file, b"IDAT", &pixels.finish().unwrap());
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    let mut sum = Crc::new();
    sum.update(kind);
    sum.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(kind);
    file.extend(data);
    file.extend(sum.sum().to_be_bytes());
}

/// The counts are of the whole process, so these tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

fn never() -> bool {
    false
}

const MB: usize = 1 << 20;

/// A file of every kind that decoders treat differently, large enough for their fixed costs not to matter.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut seed = 1u32;
    let picture = DynamicImage::from(RgbImage::from_fn(900, 700, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    }));
    let write = |picture: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut files = vec![];
    for format in [
        ImageFormat::Jpeg,
        ImageFormat::Png,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::Tiff,
    ] {
        files.push((format!("{format:?}"), write(&picture, format)));
    }
    let grey = DynamicImage::from(picture.to_luma8());
    let alpha = DynamicImage::from(picture.to_rgba8());
    let deep = DynamicImage::from(picture.to_rgba16());
    files.push(("grey JPEG".into(), write(&grey, ImageFormat::Jpeg)));
    files.push(("WebP with alpha".into(), write(&alpha, ImageFormat::WebP)));
    files.push(("deep TIFF".into(), write(&deep, ImageFormat::Tiff)));
    files.push(("deep PNG".into(), write(&deep, ImageFormat::Png)));
    for (kind, depth) in [(0, 1), (0, 8), (0, 16), (2, 16), (4, 8), (4, 16), (6, 8), (6, 16)] {
        for turned in [None, Some(3), Some(6)] {
            let name = format!("PNG of kind {kind} with {depth} bits, turned {turned:?}");
            files.push((name, png((1000, 800), depth, kind, turned)));
        }
    }
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pictures");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        files.push((path.display().to_string(), fs::read(&path).unwrap()));
    }
    files.extend(samples().iter().map(|sample| (sample.name.to_owned(), sample.bytes.to_vec())));
    files
}

#[test]
fn no_picture_takes_more_than_it_needs_by_its_header() {
    let _turn = alone();
    let budget = PixelBudget::new(1 << 30);
    for (name, file) in files() {
        let needed = needed(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (picture, took) = most(|| decode_within(&file, &budget, &never).unwrap());
        let pixels = picture.pixels().len() as u64;
        assert_eq!(picture.room().unwrap().bytes(), pixels, "{name}");
        assert_eq!(budget.in_use(), pixels, "{name}");
        assert!(took as u64 <= needed, "{name}: {took} bytes were taken, {needed} foreseen");
        drop(picture);
        assert_eq!(budget.in_use(), 0, "{name}");
    }
}

#[test]
fn small_files_take_no_more_than_their_pixels() {
    let _turn = alone();
    // Sixteen bits a sample and turned: the worst that the limits let pass.
    let worst = png((8_000, 8_000), 16, 6, Some(6));
    let grey = png((10_000, 10_000), 16, 0, Some(6));
    for (name, file, pixels) in
        [("worst", worst, 3 * 8_000 * 8_000), ("grey", grey, 3 * 10_000 * 10_000)]
    {
        let ((), took) = most(|| drop(decode(&file).unwrap()));
        println!("{name}: a file of {} kB took {} MB", file.len() / 1000, took / 1_000_000);
        assert!(file.len() < 600_000, "{name}: {}", file.len());
        assert!(took < pixels + 4 * MB, "{name}: {took}");
    }
}

/// A colour profile of 100 MB in 100 kB: the header alone must not take it.
#[test]
fn a_compressed_profile_is_no_bomb() {
    let _turn = alone();
    let mut profile = ZlibEncoder::new(b"p\0\0".to_vec(), Compression::best());
    for _ in 0..100 {
        profile.write_all(&vec![0; MB]).unwrap();
    }
    let profile = profile.finish().unwrap();
    let plain = png((64, 64), 8, 2, None);
    let mut file = plain[..33].to_vec();
    chunk(&mut file, b"iCCP", &profile);
    file.extend_from_slice(&plain[33..]);
    let (needed, took) = most(|| needed(&file).unwrap());
    assert!(took < 4 * MB, "{took}");
    let (picture, took) = most(|| decode(&file).unwrap());
    assert!(took as u64 <= needed, "{took} of {needed}");
    assert_eq!(picture.pixels(), decode(&plain).unwrap().pixels());
}

#[test]
fn eight_at_once_stay_within_the_budget() {
    let _turn = alone();
    let file = png((4_000, 4_000), 16, 6, Some(6));
    let budget = PixelBudget::new(128 << 20);
    let ((), took) = most(|| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| decode_within(&file, &budget, &never).unwrap());
            }
        })
    });
    println!("eight of 48 MB took {} MB", took / 1_000_000);
    assert!(took < 128 * MB, "{took}");
    assert_eq!(budget.in_use(), 0);
}

#[test]
fn small_pictures_go_on_while_huge_ones_wait() {
    let _turn = alone();
    let (huge, small) = (png((3_000, 3_000), 8, 2, None), samples()[0].bytes);
    let budget = PixelBudget::new(40 << 20);
    let held = budget.try_room(budget.most()).unwrap().unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| decode_within(&huge, &budget, &never).unwrap().width());
        while budget.waiting() == 0 {
            std::thread::yield_now();
        }
        for _ in 0..20 {
            decode_within(small, &budget, &never).unwrap();
        }
        assert_eq!(budget.waiting(), 1);
        drop(held);
        assert_eq!(waits.join().unwrap(), 3_000);
    });
    let held = budget.try_room(budget.most()).unwrap().unwrap();
    assert_eq!(decode_within(&huge, &budget, &|| true).unwrap_err(), PictureError::GivenUp);
    drop(held);
}

#[test]
fn a_picture_above_the_budget_is_refused_by_its_header() {
    let _turn = alone();
    let file = png((5_000, 5_000), 16, 6, None);
    let budget = PixelBudget::new(64 << 20);
    let (error, took) = most(|| decode_within(&file, &budget, &never).unwrap_err());
    assert!(matches!(error, PictureError::TooMuchMemory { .. }), "{error}");
    assert!(error.to_string().contains("at most 56 MB"), "{error}");
    assert!(took < 2 * MB, "{took}");
}

/// Whatever the size of a picture, looking at it takes the memory of the networks and no copy of its pixels.
#[test]
fn looking_at_large_pictures_takes_no_more_than_at_small_ones() {
    let _turn = alone();
    let config =
        EngineConfig { choice: EngineChoice::Tract, threads: 1, ..EngineConfig::default() };
    let engine = Engine::start(&config).unwrap();
    let finder = ThingFinder::load(&engine).unwrap();
    let reader = TextReader::load(&engine).unwrap();
    let budget = PixelBudget::new(1 << 30);
    let mut small = [0; 2];
    for size in [(1280, 960), (10_000, 7_500), (60_000, 1_000), (3, 60_000)] {
        let picture = decode_within(&png(size, 8, 0, None), &budget, &never).unwrap();
        let (things, first) = most(|| finder.find(&picture, CONFIDENT).unwrap());
        let (lines, second) = most(|| reader.read(&picture, READABLE, &never).unwrap());
        println!("{size:?}: things took {} MB, text {} MB", first / MB, second / MB);
        assert!(things.is_empty() && lines.is_empty(), "{size:?}: {things:?} {lines:?}");
        if small == [0; 2] {
            small = [first, second];
        }
        // A wide row of pixels on its way to a smaller picture is all that may come on top.
        for (took, usual) in [(first, small[0]), (second, small[1])] {
            assert!(took < usual + 64 * MB, "{size:?}: {took} instead of {usual}");
        }
    }
}
