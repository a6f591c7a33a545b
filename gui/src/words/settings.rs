//! The screen of the settings.

use super::words;

words! { "settings":
    title;
    caption;
    saved;
    you;
    name;
    name_hint;
    your_id;
    your_id_hint;
    receipts;
    receipts_hint;
    look;
    language;
    english;
    chinese;
    system;
    theme;
    light;
    dark;
    text_size;
    text_size_hint;
    motion;
    motion_hint;
    notices;
    new_mail;
    strangers;
    this_computer;
    data_folder;
    downloads;
    pick_downloads;
    usual_downloads;
    start;
    start_hint;
    node_here;
    node_here_hint;
    node_there;
    node_there_hint;
    mesh;
    kind;
    kind_hint;
    open;
    your_address;
    your_address_hint;
    no_address;
    mdns;
    mdns_hint;
    restart_hint;
    restart;
    about;
    copy_address;
    copy_id;
    copy_path;
}
