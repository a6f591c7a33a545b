//! The screen that recognizes pictures.

use super::words;

words! { "recognize":
    title;
    caption;
    add_pictures;
    save_csv;
    file_name;
    any_model;
    drop_here;
    or_drop_here;
    choose;
    empty;
    empty_hint;
    done_of(done: usize, all: usize);
    running(count: usize);
    waiting(count: usize);
    failed(count: usize);
    all_fine;
    is_running;
    is_waiting;
    is_reading;
    is_failed;
    is_stopped;
    no_picture;
    unreadable;
    asking;
    next;
    waits_for_node;
    no_picture_hint;
    unreadable_hint;
    stopped_hint;
    choose_another;
    copy_labels;
    nothing_seen;
    try_all_again;
    too_many(most: usize);
    too_many_hint;
    percent(value: &str);
}
