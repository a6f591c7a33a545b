//! What this node does for others.

use super::words;

words! { "offer":
    title;
    caption;
    capability;
    everyone;
    contacts;
    nobody;
    listed(count: usize);
    at_once(slots: u16);
    about_recognize;
    about_faces;
    about_analyze;
    about_chat;
    about_facepp;
    on_device(engine: &str, device: &str);
    off;
    getting_ready;
    daily(calls: u32);
    pending;
    restart;
    keep;
    keep_hint;
    room;
    room_hint;
    less;
    more;
    key;
    key_hint;
    key_none;
    key_none_hint;
    key_there;
    key_works;
    key_wrong;
    key_environment;
    api_key;
    api_secret;
    not_key;
    add_key;
    replace;
    remove;
    remove_title;
    remove_text;
    keep_it;
    save;
    cancel;
    engine;
    engine_none;
    engine_slow;
    install;
    installing;
    in_use;
    ready;
    not_changed;
    close;
}
