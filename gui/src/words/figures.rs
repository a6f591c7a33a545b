//! Days and dates.

use super::{Lang, words};

words! {
    today = "Today", "今天";
    yesterday = "Yesterday", "昨天";
    date(day: i8, month: &str) = "{day} {month}", "{month} {day} 日";
}

const DAYS: [(&str, &str); 7] = [
    ("Mon", "周一"),
    ("Tue", "周二"),
    ("Wed", "周三"),
    ("Thu", "周四"),
    ("Fri", "周五"),
    ("Sat", "周六"),
    ("Sun", "周日"),
];

const MONTHS: [(&str, &str); 12] = [
    ("January", "1 月"),
    ("February", "2 月"),
    ("March", "3 月"),
    ("April", "4 月"),
    ("May", "5 月"),
    ("June", "6 月"),
    ("July", "7 月"),
    ("August", "8 月"),
    ("September", "9 月"),
    ("October", "10 月"),
    ("November", "11 月"),
    ("December", "12 月"),
];

/// A day of the week, Monday first.
pub fn weekday(lang: Lang, index: i8) -> &'static str {
    named(lang, &DAYS, index)
}

/// A month, counted from 1.
pub fn month(lang: Lang, number: i8) -> &'static str {
    named(lang, &MONTHS, number - 1)
}

fn named(lang: Lang, table: &[(&'static str, &'static str)], index: i8) -> &'static str {
    let pair = usize::try_from(index).ok().and_then(|index| table.get(index));
    let (en, zh) = pair.copied().unwrap_or_default();
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}
