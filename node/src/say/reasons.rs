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
}
