//! Why a private mesh cannot be made, entered or changed.

use super::{inside, say};
use crate::{
    client::ReloadError,
    membership::{InviteError, MeshError, NotMember, invite::PREFIX},
    network::ErrandError,
    protocol::membership::{ProofError, Refusal},
};

say! {
    MeshError {
        Self::Already(name) => "mesh-already" (name);
        Self::NoMesh => "mesh-none";
        Self::NoAdmin => "mesh-no-admin";
        Self::FounderOnly => "mesh-founder-only";
        Self::Oneself => "mesh-oneself";
        Self::AlreadyOut => "mesh-already-out";
        Self::AlreadyAdmin => "mesh-already-admin";
        Self::KeyHere => "mesh-key-here";
        Self::TooMany(count) => "mesh-too-many" (count);
        Self::NoKey(file) => "mesh-no-key" (file);
        Self::OtherMesh => "mesh-other-mesh";
        Self::Exists(file) => "mesh-exists" (file);
        Self::Corrupt { path, why } => "mesh-corrupt" (path, why);
        Self::OtherIdentity => "mesh-other-identity";
        Self::Disk(why) => "mesh-disk" (why);
        Self::Signed(error) => [error];
        Self::Malformed(error) => [error];
    }
    InviteError {
        Self::Prefix => "invite-prefix" (prefix = PREFIX);
        Self::Broken => "invite-broken" (prefix = PREFIX);
        Self::Version(version) => "invite-version" (version);
    }
    NotMember {
        Self::Proof(error) => "member-proof" (why = inside(error));
        Self::NotTheirs => "member-not-theirs";
        Self::Expired => "member-expired";
        Self::Removed => "member-removed";
        Self::AdminRemoved => "member-admin-removed";
    }
    ProofError {
        Self::Signed(error) => [error];
        Self::Mesh => "proof-mesh";
        Self::Issuer => "proof-issuer";
    }
    Refusal {
        Self::Token => "refusal-token";
        Self::Removed => "refusal-removed";
        Self::NoAdmin => "refusal-no-admin";
        Self::Disk => "refusal-disk";
    }
    ErrandError {
        Self::Unreached(why) => "errand-unreached" (why);
        Self::NoAnswer => "errand-no-answer";
        Self::Refused(why) => [why];
    }
    ReloadError {
        Self::Config(error) => [error];
        Self::Mesh(error) => [error];
    }
}
