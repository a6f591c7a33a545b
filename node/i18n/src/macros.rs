//! Functions for sentences.

/// One sentence and the values that it takes, for the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sentence {
    /// Its key: the name of its file, then the name of its function.
    pub key: &'static str,
    /// The names of its values.
    pub args: &'static [&'static str],
}

/// Makes functions of the sentences of one Fluent file, and `TABLE` of them for the tests.
///
/// `words! { "chat": send; files(count: usize); }` gives `send(lang)` the sentence `chat-send`, and
/// `files(lang, count)` the sentence `chat-files` with `{ $count }`.
#[macro_export]
macro_rules! words {
    ($file:literal: $($name:ident $(($($arg:ident: $kind:ty),+))?;)*) => {
        $($crate::word!($file $name $(($($arg: $kind),+))?);)*

        /// The sentences of this file.
        pub const TABLE: &[$crate::Sentence] = &[$($crate::Sentence {
            key: $crate::key!($file $name),
            args: &[$($(stringify!($arg)),+)?],
        }),*];
    };
}

/// One function; see [`words!`](crate::words!).
#[doc(hidden)]
#[macro_export]
macro_rules! word {
    ($file:literal $name:ident) => {
        #[doc = concat!("`", stringify!($name), "` of `", $file, ".ftl`.")]
        pub fn $name(lang: $crate::Lang) -> &'static str {
            $crate::text(lang, $crate::key!($file $name))
        }
    };
    ($file:literal $name:ident ($($arg:ident: $kind:ty),+)) => {
        #[doc = concat!("`", stringify!($name), "` of `", $file, ".ftl`.")]
        pub fn $name(lang: $crate::Lang, $($arg: $kind),+) -> String {
            let args = [$((stringify!($arg), $crate::Arg::from($arg))),+];
            $crate::fill(lang, $crate::key!($file $name), args)
        }
    };
}

/// The key of a function: Fluent's names have dashes where Rust's have underscores.
#[doc(hidden)]
#[macro_export]
macro_rules! key {
    ($file:literal $name:ident) => {{
        const NAME: &str = concat!($file, "-", stringify!($name));
        const DASHED: [u8; NAME.len()] = $crate::dashed(NAME);
        const KEY: &str = match std::str::from_utf8(&DASHED) {
            Ok(key) => key,
            Err(_) => NAME,
        };
        KEY
    }};
}

/// The bytes of a name with dashes for underscores; see [`words!`](crate::words!).
#[doc(hidden)]
pub const fn dashed<const N: usize>(name: &str) -> [u8; N] {
    let (name, mut dashed) = (name.as_bytes(), [b'-'; N]);
    let mut at = 0;
    while at < N {
        if name[at] != b'_' {
            dashed[at] = name[at];
        }
        at += 1;
    }
    dashed
}
