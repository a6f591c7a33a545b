//! The frame: sidebar, messages, the command line.

use super::words;

words! { "shell":
    potluck;
    ask_the_mesh;
    this_computer;
    alone;
    open_mesh(nodes: usize);
    private_mesh(name: &str, nodes: usize);
    starting;
    not_running;
    starting_long;
    cannot_start;
    try_again;
    node_gone;
    clone_here;
    close;
    back;
    copy;
    copied;
    copy_details;
    settings_unsaved(why: &str);
    settings_unread(why: &str);
}
