//! What screens that ask the mesh have in common: files, and why there is no answer.

use potluck::client::{CallFailure, FailureKind};

use super::{Lang, words};

words! { "asking":
    name_a_file;
    path_hint;
    no_dialogs;
    browse;
    add;
    save;
    saved_as(path: &str);
    unsaved(path: &str);
    remove;
    stop;
    again;
    clear;
    pasted_picture;
    nothing_pasted;
    nothing_pasted_hint;
    by(who: &str, time: &str);
    bad_input;
    nobody;
    peer_failed;
    refused;
    timed_out;
}

/// Why there is no answer, and what to do.
pub fn failure(lang: Lang, failure: &CallFailure) -> &'static str {
    match failure.kind {
        FailureKind::BadInput => bad_input(lang),
        FailureKind::NobodyServes => nobody(lang),
        FailureKind::PeerFailed => peer_failed(lang),
        FailureKind::Refused => refused(lang),
        FailureKind::TimedOut => timed_out(lang),
    }
}

/// Everything about a failure, for somebody who helps.
pub fn details(failure: &CallFailure) -> String {
    let hops = failure.route.iter().map(|hop| {
        let detail = hop.detail.as_deref().unwrap_or_default();
        format!("\n{} ({}): {}, {} ms {detail}", hop.name, hop.id, hop.outcome, hop.milliseconds)
    });
    std::iter::once(failure.message.clone()).chain(hops).collect()
}
