//! What is wrong with what was typed, and with what it names.

use std::{io, path::Path};

use crate::say::Reason;

potluck_i18n::reasons! { "usage":
    pictures_unanswered(lost: usize);
    demo_apart;
    demo_nowhere;
    demo_changed;
    demo_unsaved;
    demo_not_met;
    demo_not_kept;
    demo_not_come;
    picture_too_large(name: String, is: u64, most: u64);
    header;
    delimiter;
    quote;
    escape;
    control_socket(why: &io::Error);
    pipe(why: &io::Error);
    pipe_empty;
    unwritable_out(path: &Path, why: &io::Error);
    unwritable(path: &Path, why: &io::Error);
    unreadable(path: &Path, why: &io::Error);
    path(path: &Path, why: &io::Error);
    nothing_to_send;
    node_stopped;
    given_twice(key: &str);
    arguments(capability: &str, why: String);
    no_folder(path: &Path);
    a_folder(path: &Path);
    no_file(path: &Path);
    denied(path: &Path);
    denied_why(path: &Path, why: &io::Error);
    folder_of_files(path: &Path);
    not_a_file(path: &Path);
    empty_file(path: &Path);
    long_text(bytes: usize, most: usize);
    no_client_id(text: &str);
    no_time;
    before_that(last: Reason, earlier: Reason);
    another_size(name: &str, told: String, is: String);
    no_output(path: &Path);
    copy_ending(ending: &str);
    several_pictures;
    picture_itself(path: &Path);
    no_node;
    not_blocked(client: &str);
    say_who;
    not_listed(person: &str, capability: &str);
    no_capability(name: &str, known: String);
    nobody_met(name: &str);
    several_met(name: &str, several: String);
    no_contact(name: &str);
    limit(most: u32);
    seconds;
    days;
    key_value;
    no_member(client: &str);
    duration(text: &str);
}

/// What is wrong with the value of an option. Clap asks for an error.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Value(pub Reason);
