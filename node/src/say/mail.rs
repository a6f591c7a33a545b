//! Why a letter does not go, come or open.

use super::say;
use crate::mail::{
    envelope::NoEnvelopeId,
    keys::KeysError,
    letter::{MAX_DEPTH, MAX_ENTRIES, MAX_TEXT, OpenError, SealError, UnpackError},
    post::{MailError, PostError},
    store::StoreError,
};

say! {
    MailError {
        Self::Nobody(name) => "mail-nobody" (name);
        Self::Several { name, several } => "mail-several" (name, several);
        Self::Myself => "mail-myself";
        Self::NoKey(name) => "mail-no-key" (name);
        Self::NewKey(name) => "mail-new-key" (name);
        Self::NoLetter(id) => "mail-no-letter" (id);
        Self::Ended => "mail-ended";
        Self::UnderWay => "mail-under-way";
        Self::WithKeepers => "mail-with-keepers";
        Self::Unended => "mail-unended";
        Self::ManyRest => "mail-many-rest";
        Self::NoRecipient => "mail-no-recipient";
        Self::Trouble(why) => "mail-trouble" (why);
        Self::Seal(error) => [error];
        Self::Unpack(error) => [error];
        Self::Store(error) => [error];
        Self::Sign(error) => [error];
        Self::Disk(why) => "mail-disk" (why);
    }
    PostError {
        Self::Store(error) => [error];
        Self::Keys(error) => [error];
        Self::Signed(error) => [error];
        Self::Disk(why) => "post-disk" (why);
    }
    StoreError {
        Self::Damaged { path, why } => "store-damaged" (path, why);
        Self::Newer { path } => "store-newer" (path);
        Self::Disk(why) => "store-disk" (why);
        Self::InUse => "store-in-use";
    }
    KeysError {
        Self::Corrupt { path, line } => "keys-corrupt" (path, line);
        Self::Disk { path, source } => "keys-disk" (path, why = source);
    }
    SealError {
        Self::Empty => "seal-empty";
        Self::LongText(bytes) => "seal-long-text" (bytes, most = MAX_TEXT);
        Self::Unreadable { path, source } => "seal-unreadable" (path, why = source);
        Self::Odd(path) => "seal-odd" (path);
        Self::Changed(path) => "seal-changed" (path);
        Self::TooMuch(path) => "seal-too-much" (path, most = MAX_ENTRIES, deep = MAX_DEPTH);
        Self::Key => "seal-key";
        Self::Disk(why) => "seal-disk" (why);
        Self::Sign(error) => [error];
    }
    UnpackError {
        Self::Open(error) => [error];
        Self::Disk { path, source } => "unpack-disk" (path, why = source);
    }
    OpenError {
        Self::Key => "open-key";
        Self::Damaged => "open-damaged";
        Self::Odd(why) => "open-odd" (why);
        Self::Forged => "open-forged";
        Self::Disk(why) => "open-disk" (why);
    }
    NoEnvelopeId {
        Self => "no-letter-id";
    }
}
