//! The screen of faces.

use super::words;

words! { "faces":
    title;
    caption;
    open;
    choose;
    drop_here;
    empty;
    empty_hint;
    count(faces: usize);
    one;
    none;
    none_hint;
    no_face;
    looking;
    waits;
    reading;
    failed;
    not_a_picture;
    face(number: usize);
    sure(percent: &str);
    gender;
    age;
    beauty;
    male;
    female;
    male_short;
    female_short;
    about(years: &str);
    unknown;
    only_facepp;
    scores(women: &str, men: &str);
    size(width: u32, height: u32);
    boxes;
    labels;
    save_copy;
    copy_name(stem: &str);
    not_itself;
    earlier;
    later;
    guesses;
    beauty_needs;
    beauty_hint(who: &str);
    nobody_cloud;
    send;
    by_cloud;
    ask_title;
    ask_text(name: &str, who: &str);
    keep_here;
    send_it;
    another_size;
    too_many(most: usize);
    too_many_hint;
    route(hops: &str);
}
