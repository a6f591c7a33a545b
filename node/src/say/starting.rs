//! Why a node does not start, or a program has none.

use super::{inside, say};
use crate::{
    StartError,
    blobs::{BlobError, NoRoom},
    config::{ConfigError, EditError, ValueError},
    control::ControlError,
    data_dir::{DATA_DIR_VARIABLE, DataDirError},
    home::HomeError,
    identity::IdentityError,
    network::NetworkError,
    protocol::{AdvertError, MAX_FRAME_TIME, Malformed, signed::SignedError},
    qr::QrError,
    service::RegistryError,
    services::ServicesError,
};

say! {
    HomeError {
        Self::DataDir(error) => [error];
        Self::Config(error) => [error];
        Self::Value(error) => [error];
        Self::Join(text) => [text];
        Self::Identity(error) => [error];
        Self::Start(error) => [error];
        Self::Control(error) => [error];
        Self::Socket(why) => "home-socket" (why);
        Self::Lost(why) => "home-lost" (why = why.to_string());
    }
    StartError {
        Self::Address(text) => [text];
        Self::Network(error) => [error];
        Self::Services(error) => [error];
        Self::Mail(error) => [error];
        Self::Mesh(error) => [error];
        Self::Blobs(error) => [error];
        Self::Temporary(why) => "start-temporary" (why);
    }
    ServicesError {
        Self::Make(error) => [error.0];
        Self::Unknown(name, known) => "services-unknown" (name, known);
    }
    QrError {
        Self::TooLong { bytes, most } => "qr-too-long" (bytes, most);
    }
    RegistryError {
        Self::Twice(name) => "registry-twice" (name);
        Self::Name(name) => "registry-name" (name);
    }
    DataDirError {
        Self::NoHome => "data-no-home" (variable = DATA_DIR_VARIABLE);
        Self::NotAFolder { path } => "data-no-folder" (path);
        Self::NotOurs { path } => "data-not-ours" (path);
        Self::ReadOnly { path, source } => "data-read-only" (path, why = source);
        Self::Full { path, source } => "data-full" (path, why = source);
        Self::NotPrivate { path, source } => "data-not-private" (path, why = source);
        Self::InUse { path, holder } => "data-in-use" (path, holder);
        Self::Io { path, source } => "data-io" (path, why = source);
    }
    IdentityError {
        Self::Corrupt { path, reason } => "identity-corrupt" (path, why = reason);
        Self::Unreadable { path, source } => "identity-unreadable" (path, why = source);
        Self::Unwritable { path, source } => "identity-unwritable" (path, why = source);
    }
    EditError {
        Self::Disk(why) => "edit-disk" (why);
        Self::Unreadable(why) => "edit-unreadable" (why);
        Self::Config(error) => [error];
    }
    ConfigError {
        Self::Unreadable { path, source } => "config-unreadable" (path, why = source);
        Self::TooLarge { path } => "config-too-large" (path);
        Self::Bad { path, line, reason } => "config-bad" (path, line, why = reason);
    }
    ValueError {
        Self::Capability(text) => "value-capability" (text);
        Self::Address { text, reason, fix } => "value-address" (text, why = reason, fix);
        Self::Mesh(text) => "value-mesh" (text);
        Self::Name(text) => "value-name" (text);
        Self::ClientId(text) => "value-client-id" (text);
        Self::Allow(text) => "value-allow" (text);
        Self::Base { text, reason } => "value-base" (text, why = reason);
    }
    ControlError {
        Self::Gone(why) => "control-gone" (why);
        Self::Silent => "control-silent";
        Self::OtherVersion { node, here } => "control-other-version" (node, here);
        Self::Refused(why) => "control-refused" (why);
        Self::Unexpected(why) => "control-unexpected" (why);
    }
    NetworkError {
        Self::Listen { address, reason } => "network-listen" (address = address.to_string(), why = reason);
        Self::Mdns(why) => "network-mdns" (why);
        Self::Transport(why) => "network-transport" (why);
        Self::NoExternal => "network-no-external";
        Self::Advert(error) => "network-advert" (why = inside(error));
    }
    BlobError {
        Self::Disk(why) => "blobs-disk" (why);
        Self::NoRoom(error) => "blobs-no-room" (why = inside(error));
        Self::NotShared => "blobs-not-shared";
        Self::Wrong => "blobs-wrong";
        Self::Slow => "blobs-slow" (least = crate::blobs::LEAST / 1024);
        Self::Broken(why) => "blobs-broken" (why);
    }
    NoRoom {
        Self::Budget => "room-budget";
        Self::Disk => "room-disk";
    }
    AdvertError {
        Self::Malformed(error) => "advert-malformed" (why = inside(error));
        Self::Key => "advert-key";
        Self::WrongId => "advert-wrong-id";
        Self::Signature => "advert-signature";
        Self::Signing(why) => "advert-signing" (why);
    }
    SignedError {
        Self::Malformed(error) => "signed-malformed" (why = inside(error));
        Self::Key => "signed-key";
        Self::Signer => "signed-signer";
        Self::Signature => "signed-signature";
        Self::Signing(why) => "signed-signing" (why);
    }
    Malformed {
        Self::Decode(why) => "malformed-decode" (why);
        Self::Encode(why) => "malformed-encode" (why);
        Self::TooLarge { max } => "malformed-too-large" (max);
        Self::Trailing => "malformed-trailing";
        Self::Limit { what, is, max } => "malformed-limit" (what, is, max);
        Self::Value(text) => [text];
        Self::Version(version) => "malformed-version" (version);
        Self::Slow => "malformed-slow" (seconds = MAX_FRAME_TIME.as_secs());
    }
}
