//! Small pictures with a clear licence, for the demo, for measuring and for tests; `samples/README.md` has
//! their origin.

/// A bundled picture.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// File name.
    pub name: &'static str,
    /// The JPEG file.
    pub bytes: &'static [u8],
    /// Words of which one stands in the five best labels.
    pub expect: &'static [&'static str],
}

/// The bundled pictures, six of them.
pub fn samples() -> &'static [Sample] {
    &SAMPLES
}

macro_rules! sample {
    ($name:literal, $($expect:literal),+) => {
        Sample { name: $name, bytes: include_bytes!(concat!("../samples/", $name)), expect: &[$($expect),+] }
    };
}

static SAMPLES: [Sample; 6] = [
    sample!("cat.jpg", "tabby", "tiger cat", "Egyptian cat"),
    sample!("coffee.jpg", "espresso"),
    sample!("rocket.jpg", "missile", "projectile"),
    sample!("cameraman.jpg", "tripod"),
    sample!("temple.jpg", "palace"),
    sample!("flower.jpg", "daisy"),
];

/// A bundled picture with one face, a woman's; not among [`samples`].
pub fn face_sample() -> Sample {
    sample!("faces/astronaut.jpg", "face")
}

/// A bundled picture with a thing that the detector knows: a cat; the first of [`samples`].
pub fn things_sample() -> Sample {
    SAMPLES[0]
}

/// A bundled picture with lines of English and Chinese; not among [`samples`].
pub fn text_sample() -> Sample {
    sample!("text/notice.jpg", "Potluck")
}
