//! Why something is not done, of what has no error type of its own.

potluck_i18n::reasons! { "reasons":
    answer_lost;
    input_late;
    late(seconds: String);
    not_there(name: String, capability: &str);
    no_model(model: &str, known: String);
    nobody(capability: &str, known: String);
    nobody_nor_this(capability: &str, known: String, why: String);
    no_mail;
    unreadable(why: String);
    goodbye;
    lost;
    expired;
    evicted;
    gone;
    no_address(text: &str, why: String);
    no_host(text: &str, why: &std::io::Error);
    label_count(most: u16);
    call_without_picture;
    call_without_table;
    model_not_loaded;
    faces_not_loaded;
    long_text(bytes: usize, most: usize);
    not_offered(capability: &str);
    not_ready(capability: &str);
    not_ready_why(capability: &str, why: String);
    input_too_large(bytes: u64, most: u64);
    service_broke;
    stopping;
    caller_left;
    time_up;
    input_unreadable(why: String);
    input_gone;
    request_misfit(why: String);
    mask_bytes(bytes: usize, most: usize);
    unreadable_answer;
    bad_input(what: String);
    nobody_serves(what: String);
    peer_failed(what: String);
    refused(what: String);
    timed_out(what: String);
}
