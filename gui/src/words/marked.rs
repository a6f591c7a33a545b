//! The screens of things and of text on pictures.

use super::words;

words! { "marked":
    things_title;
    things_caption;
    things_empty;
    things_empty_hint;
    things_looking;
    things_count(things: usize);
    things_one;
    things_none;
    things_none_hint;
    things_guesses;
    things_copy_name(stem: &str);
    text_title;
    text_caption;
    text_empty;
    text_empty_hint;
    text_looking;
    text_count(lines: usize);
    text_one;
    text_none;
    text_none_hint;
    text_guesses;
    text_copy_name(stem: &str);
    copy_line;
}
