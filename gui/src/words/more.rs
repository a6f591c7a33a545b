//! Capabilities that have no screen of their own.

use super::words;

words! { "more":
    title;
    caption;
    capability;
    nodes;
    none;
    none_hint;
    choose;
    choose_hint;
    asking_about;
    untold;
    file;
    picture;
    table;
    needed;
    no_file;
    choose_file;
    remove_file;
    input;
    model;
    any_model;
    name;
    add_value;
    remove_value;
    empty_is_left_out;
    not_number;
    named_twice;
    will_answer(who: &str);
    or(one: &str, other: &str);
    or_more(one: &str, count: usize);
    ask;
    asks;
    answer;
    says(why: &str);
    save_answer;
    save_data(size: &str);
    answer_name;
    data_name;
    cut_here(lines: usize);
}
