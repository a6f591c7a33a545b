//! Days and dates.

use super::{Lang, words};

words! { "figures":
    today;
    yesterday;
    date(day: i8, month: &str);
    monday;
    tuesday;
    wednesday;
    thursday;
    friday;
    saturday;
    sunday;
    january;
    february;
    march;
    april;
    may;
    june;
    july;
    august;
    september;
    october;
    november;
    december;
}

/// A word in each language.
type Word = fn(Lang) -> &'static str;

const DAYS: [Word; 7] = [monday, tuesday, wednesday, thursday, friday, saturday, sunday];

const MONTHS: [Word; 12] = [
    january, february, march, april, may, june, july, august, september, october, november,
    december,
];

/// A day of the week, Monday first.
pub fn weekday(lang: Lang, index: i8) -> &'static str {
    named(lang, &DAYS, index)
}

/// A month, counted from 1.
pub fn month(lang: Lang, number: i8) -> &'static str {
    named(lang, &MONTHS, number - 1)
}

fn named(lang: Lang, table: &[Word], index: i8) -> &'static str {
    let word = usize::try_from(index).ok().and_then(|index| table.get(index));
    word.map_or("", |word| word(lang))
}
