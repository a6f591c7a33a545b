//! The rules of a mesh, in any order; what is signed at a desk; what a running node makes of it.

use libp2p::identity::Keypair;
use proptest::prelude::*;

use super::{desk::FOUNDER_MS, roll::SKEW_MS, *};
use crate::protocol::{
    decode, encode,
    membership::{MAX_KEPT, ProofError, Removal, Revocation},
    signed::Signed,
};

const NOW: u64 = 1_800_000_000_000;

/// Keys that are the same in every run: `key(0)` is the founder's.
fn key(n: u8) -> Keypair {
    let mut seed = [n + 1; 32];
    Keypair::ed25519_from_bytes(&mut seed).expect("any 32 bytes are a secret key")
}

fn id(n: u8) -> PeerId {
    key(n).public().to_peer_id()
}

fn certificate(subject: u8, role: Role, epoch: u32, by: u8) -> Certificate {
    Certificate {
        version: 1,
        mesh: id(0).to_bytes(),
        subject: id(subject).to_bytes(),
        role,
        epoch,
        by: id(by).to_bytes(),
        not_after: NOW + 1000,
    }
}

fn admin(n: u8, epoch: u32) -> Signed<Certificate> {
    Signed::sign(&certificate(n, Role::Admin, epoch, 0), &key(0)).unwrap()
}

fn member(n: u8, by: u8) -> Credential {
    Credential::by_admin(&certificate(n, Role::Member, 0, by), &key(by), admin(by, 0)).unwrap()
}

fn removal(subject: u8, epoch: u32, by: u8, of: u32, kept: &[u8]) -> Record {
    let said = Revocation {
        version: 1,
        mesh: id(0).to_bytes(),
        subject: id(subject).to_bytes(),
        epoch,
        by: id(by).to_bytes(),
        kept: kept.iter().map(|n| id(*n).to_bytes().into()).collect(),
    };
    let issuer = (by != 0).then(|| admin(by, of));
    Record::Removal(Removal { revocation: Signed::sign(&said, &key(by)).unwrap(), issuer })
}

fn roll(records: &[Record]) -> Roll {
    let mut roll = Roll::new(id(0));
    roll.extend(records);
    roll
}

fn judge(records: &[Record], credential: &Credential, n: u8) -> Result<Role, NotMember> {
    let proved = roll(records).judge_credential(credential, &id(n), NOW)?;
    Ok(proved.record.role)
}

#[test]
fn who_is_a_member() {
    let by_founder =
        |n, role, epoch| Credential::by_founder(&certificate(n, role, epoch, 0), &key(0)).unwrap();
    let forged = |said: Certificate, by: u8, issuer| Credential {
        certificate: Signed::sign(&said, &key(by)).unwrap(),
        issuer,
    };
    let other_mesh = Certificate { mesh: id(9).to_bytes(), ..certificate(2, Role::Member, 0, 0) };
    let three_links = forged(certificate(3, Role::Member, 0, 2), 2, {
        Some(Signed::sign(&certificate(2, Role::Admin, 0, 1), &key(1)).unwrap())
    });
    let issuer = |why| Err(NotMember::Proof(why));
    let out = |by, of| vec![removal(2, 0, by, of, &[])];
    let table = [
        ("by an admin", vec![], member(2, 1), 2, Ok(Role::Member)),
        ("by the founder", vec![], by_founder(1, Role::Admin, 0), 1, Ok(Role::Admin)),
        ("somebody else's", vec![], member(2, 1), 3, Err(NotMember::NotTheirs)),
        ("removed by an admin", out(1, 0), member(2, 1), 2, Err(NotMember::Removed)),
        ("removed by another admin", out(4, 0), member(2, 1), 2, Err(NotMember::Removed)),
        ("removed by the founder", out(0, 0), member(2, 1), 2, Err(NotMember::Removed)),
        ("let in again", out(0, 0), by_founder(2, Role::Member, 1), 2, Ok(Role::Member)),
        ("an admin removes no admin", out(1, 0), by_founder(2, Role::Admin, 0), 2, Ok(Role::Admin)),
        ("the founder does", out(0, 0), by_founder(2, Role::Admin, 0), 2, Err(NotMember::Removed)),
        (
            "its admin is out",
            vec![removal(1, 0, 0, 0, &[])],
            member(2, 1),
            2,
            Err(NotMember::AdminRemoved),
        ),
        (
            "its admin is out, it stays",
            vec![removal(1, 0, 0, 0, &[2])],
            member(2, 1),
            2,
            Ok(Role::Member),
        ),
        (
            "an admin who is out removes nobody",
            vec![removal(2, 0, 1, 0, &[]), removal(1, 0, 0, 0, &[])],
            member(2, 4),
            2,
            Ok(Role::Member),
        ),
        (
            "an admin who came back does",
            vec![removal(2, 0, 1, 1, &[]), removal(1, 0, 0, 0, &[])],
            member(2, 4),
            2,
            Err(NotMember::Removed),
        ),
        (
            "a member makes no members",
            vec![],
            forged(certificate(3, Role::Member, 0, 2), 2, member(2, 1).certificate.into()),
            3,
            issuer(ProofError::Issuer),
        ),
        (
            "nor does an admin make admins",
            vec![],
            forged(certificate(3, Role::Admin, 0, 1), 1, Some(admin(1, 0))),
            3,
            issuer(ProofError::Issuer),
        ),
        (
            "nor let in again",
            vec![],
            forged(certificate(3, Role::Member, 1, 1), 1, Some(admin(1, 0))),
            3,
            issuer(ProofError::Issuer),
        ),
        (
            "with another admin's certificate",
            vec![],
            forged(certificate(3, Role::Member, 0, 1), 1, Some(admin(4, 0))),
            3,
            issuer(ProofError::Issuer),
        ),
        ("three links", vec![], three_links, 3, issuer(ProofError::Issuer)),
        (
            "by nobody",
            vec![],
            forged(certificate(3, Role::Member, 0, 3), 3, None),
            3,
            issuer(ProofError::Issuer),
        ),
        ("of another mesh", vec![], forged(other_mesh, 0, None), 2, issuer(ProofError::Mesh)),
    ];
    for (what, records, credential, who, want) in table {
        assert_eq!(judge(&records, &credential, who), want, "{what}");
    }
}

#[test]
fn time_is_over_a_day_later() {
    let roll = Roll::new(id(0));
    let end = NOW + 1000 + SKEW_MS;
    let judge = |now| roll.judge_credential(&member(2, 1), &id(2), now).map(drop);
    assert_eq!(judge(end), Ok(()));
    assert_eq!(judge(end + 1), Err(NotMember::Expired));
}

#[test]
fn a_changed_certificate_is_not_believed() {
    let bytes = encode(&member(2, 1)).unwrap();
    let mut read = 0;
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        let Ok(credential) = decode::<Credential>(&other) else { continue };
        read += 1;
        assert!(judge(&[], &credential, 2).is_err(), "byte {at}");
    }
    assert!(read > 100, "most changes can be read");
}

#[test]
fn the_same_in_another_encoding_is_the_same() {
    let Record::Removal(removal) = removal(2, 0, 0, 0, &[3, 4]) else { unreachable!() };
    let mut known = roll(&[Record::Removal(removal)]);
    let digest = known.digest();
    // Those who stay in another order and twice: another signature of the same.
    let again = self::removal(2, 0, 0, 0, &[4, 3, 4]);
    assert!(!known.insert(&again), "it is no news");
    assert_eq!(known.digest(), digest);
    assert_eq!(roll(&[again]).digest(), digest);
    assert_eq!(known.records().len(), 1);
}

#[test]
fn a_flood_by_one_admin_leaves_what_others_said() {
    let flood: Vec<_> = (10..90).map(|n| removal(n, 0, 1, 0, &[])).collect();
    let mut some = roll(&flood);
    assert_eq!(some.records().len(), roll::MAX_REMOVALS_EACH);
    assert!(some.insert(&removal(200, 0, 4, 0, &[])));
    assert!(some.insert(&removal(1, 0, 0, 0, &[])));
    assert_eq!(some.records().len(), 2, "and is gone when the founder says so");
}

/// Everything that can be said among a few.
fn any_record() -> impl Strategy<Value = Record> {
    let kept = proptest::collection::vec(1..6_u8, 0..3);
    prop_oneof![
        1 => (1..6_u8, 0..3_u32).prop_map(|(n, epoch)| Record::Admin(admin(n, epoch))),
        2 => (1..6_u8, 0..3_u32, 1..6_u8, 0..3_u32)
            .prop_map(|(subject, epoch, by, of)| removal(subject, epoch, by, of, &[])),
        1 => (1..6_u8, 0..3_u32, kept)
            .prop_map(|(subject, epoch, kept)| removal(subject, epoch, 0, 0, &kept)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any order, any repetition, by way of any others: the same set says the same.
    #[test]
    fn order_and_ways_do_not_matter(
        records in proptest::collection::vec(any_record(), 0..14),
        shuffled in any::<prop::sample::Index>(),
        split in any::<prop::sample::Index>(),
    ) {
        let straight = roll(&records);
        let mut other = records.clone();
        other.rotate_left(shuffled.index(records.len() + 1).min(records.len()));
        other.reverse();
        let (first, second) = other.split_at(split.index(other.len() + 1).min(other.len()));
        // Two who know a part each, and a third who hears what they hand on, twice.
        let (first, second) = (roll(first).records(), roll(second).records());
        let third = roll(&[first.clone(), second.clone(), first, second].concat());
        prop_assert_eq!(&straight, &third);
        for n in 1..6 {
            for credential in [member(n, 1), member(n, 5)] {
                let judged = |roll: &Roll| roll.judge_credential(&credential, &id(n), NOW).map(drop);
                prop_assert_eq!(judged(&straight), judged(&third));
            }
        }
    }

    /// Removal wins: more records never make somebody a member again by the same certificate, unless
    /// an admin who had removed them is removed.
    #[test]
    fn removal_by_the_founder_wins_for_ever(
        records in proptest::collection::vec(any_record(), 0..14),
        epoch in 0..3_u32,
    ) {
        let out = removal(2, epoch, 0, 0, &[]);
        let all = [&records[..], &[out]].concat();
        prop_assert_eq!(judge(&all, &member(2, 1), 2), Err(NotMember::Removed));
    }
}

struct Place {
    folder: tempfile::TempDir,
    me: Keypair,
}

impl Place {
    fn new(n: u8) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), me: key(n) }
    }

    fn desk(&self) -> Desk {
        Desk::of(self.folder.path())
    }

    fn open(&self) -> Arc<Membership> {
        Membership::open(self.folder.path(), &self.me).unwrap().expect("a private mesh")
    }

    fn id(&self) -> PeerId {
        self.me.public().to_peer_id()
    }
}

fn offer(uses: u32) -> Offer {
    Offer { uses, until: NOW + 1000, again: None }
}

/// What a node gets for an invite.
fn redeem(admin: &Place, invite: &Invite, who: &Place) -> Result<Credential, Refusal> {
    admin.desk().redeem(&admin.me, &invite.token, who.id(), NOW)
}

fn join(admin: &Place, who: &Place) {
    let invite = admin.desk().invite(admin.id(), offer(1), vec![], NOW).unwrap();
    let credential = redeem(admin, &invite, who).unwrap();
    who.desk().join(&invite, invite.name.clone(), credential).unwrap();
}

#[test]
fn an_invite_is_used_as_often_as_it_says() {
    let (admin, a, b, c) = (Place::new(1), Place::new(2), Place::new(3), Place::new(4));
    admin.desk().create("lab", &admin.me, NOW).unwrap();
    let invite = admin.desk().invite(admin.id(), offer(2), vec![], NOW).unwrap();
    redeem(&admin, &invite, &a).unwrap();
    redeem(&admin, &invite, &a).expect("who did not get it may ask again");
    redeem(&admin, &invite, &b).unwrap();
    assert_eq!(redeem(&admin, &invite, &c), Err(Refusal::Token), "used up");
    let late = admin.desk().redeem(&admin.me, &invite.token, a.id(), NOW + 1001);
    assert_eq!(late, Err(Refusal::Token), "its time is over");
    let other = Invite { token: [0; 16], ..invite };
    assert_eq!(redeem(&admin, &other, &c), Err(Refusal::Token));
    let invite = admin.desk().invite(admin.id(), offer(1), vec![], NOW).unwrap();
    assert_eq!(admin.desk().take_back(NOW).unwrap(), 1);
    assert_eq!(redeem(&admin, &invite, &c), Err(Refusal::Token), "taken back");
    // A member is no admin.
    join(&admin, &a);
    assert!(matches!(a.desk().invite(a.id(), offer(1), vec![], NOW), Err(MeshError::NoAdmin)));
}

#[test]
fn two_at_once_do_not_use_a_token_twice() {
    let admin = Place::new(1);
    admin.desk().create("lab", &admin.me, NOW).unwrap();
    let invite = admin.desk().invite(admin.id(), offer(1), vec![], NOW).unwrap();
    let got: usize = std::thread::scope(|scope| {
        let all: Vec<_> = (10..18)
            .map(|n| {
                scope.spawn({
                    let (desk, me, token) = (admin.desk(), &admin.me, invite.token);
                    move || desk.redeem(me, &token, id(n), NOW).is_ok()
                })
            })
            .collect();
        all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
    });
    assert_eq!(got, 1);
}

#[test]
fn the_founder_lets_in_again_and_nobody_else() {
    let (founder, other, out) = (Place::new(1), Place::new(2), Place::new(3));
    founder.desk().create("lab", &founder.me, NOW).unwrap();
    join(&founder, &other);
    join(&founder, &out);
    founder.desk().promote(other.id(), NOW).unwrap();
    other.open().merge(&founder.desk().held().unwrap().unwrap().roll.records());
    founder.open().remember().unwrap();
    assert_eq!(founder.desk().revoke(&founder.me, out.id()).unwrap(), 0);
    assert!(matches!(founder.desk().revoke(&founder.me, out.id()), Err(MeshError::AlreadyOut)));
    other.open().merge(&founder.desk().held().unwrap().unwrap().roll.records());
    // Any other invite is no way back, and is not used up by the attempt.
    let invite = founder.desk().invite(founder.id(), offer(1), vec![], NOW).unwrap();
    assert_eq!(redeem(&founder, &invite, &out), Err(Refusal::Removed));
    redeem(&founder, &invite, &Place::new(7)).unwrap();
    let again = Offer { again: Some(out.id()), ..offer(1) };
    let asked = other.desk().invite(other.id(), again, vec![], NOW);
    assert!(matches!(asked, Err(MeshError::FounderOnly)), "{asked:?}");
    let invite = founder.desk().invite(founder.id(), again, vec![], NOW).unwrap();
    assert_eq!(redeem(&founder, &invite, &Place::new(8)), Err(Refusal::Token), "not meant");
    let back = redeem(&founder, &invite, &out).unwrap();
    assert_eq!(founder.open().admit(&out.id(), &back, "", NOW), Ok(Role::Member));
    assert_eq!(other.open().admit(&out.id(), &back, "", NOW), Ok(Role::Member));
}

#[test]
fn when_an_admin_goes_those_whom_the_founder_met_stay() {
    let (founder, admin, met, unmet) = (Place::new(1), Place::new(2), Place::new(3), Place::new(4));
    founder.desk().create("lab", &founder.me, NOW).unwrap();
    join(&founder, &admin);
    founder.desk().promote(admin.id(), NOW).unwrap();
    let at_admin = admin.open();
    assert_eq!(at_admin.role(), Role::Member);
    at_admin.merge(&founder.desk().held().unwrap().unwrap().roll.records());
    assert_eq!(at_admin.role(), Role::Admin, "it learns that it is one");
    join(&admin, &met);
    join(&admin, &unmet);
    let (met, unmet) = (met.open().credential(), unmet.open().credential());
    let at_founder = founder.open();
    assert_eq!(at_founder.admit(&id(3), &met, "", NOW), Ok(Role::Member));
    at_founder.remember().unwrap();
    // It removed somebody; that holds further on.
    admin.desk().revoke(&admin.me, id(5)).unwrap();
    at_founder.merge(&admin.desk().held().unwrap().unwrap().roll.records());
    assert!(matches!(admin.desk().revoke(&admin.me, founder.id()), Err(MeshError::FounderOnly)));
    assert_eq!(founder.desk().revoke(&founder.me, admin.id()).unwrap(), 1);
    at_founder.reload().unwrap();
    assert_eq!(at_founder.admit(&id(3), &met, "", NOW), Ok(Role::Member));
    assert_eq!(at_founder.admit(&id(4), &unmet, "", NOW), Err(NotMember::AdminRemoved));
    let old = member_of(&at_founder, &admin);
    assert_eq!(old, Err(NotMember::Removed));
    // It revokes back: nobody listens, and it signs for nobody.
    admin.desk().revoke(&admin.me, id(3)).unwrap();
    let back = admin.desk().held().unwrap().unwrap().roll.records();
    assert!(!at_founder.merge(&back));
    assert_eq!(at_founder.admit(&id(3), &met, "", NOW), Ok(Role::Member));
    let held = founder.desk().held().unwrap().unwrap();
    assert_eq!(held.roll.out_up_to(&id(5)), Some(0), "removal wins for ever");
    assert_eq!(at_founder.outsiders(NOW), [].into());
    // Another admin gives the one who stays a certificate of its own.
    let renewed = founder.desk().renew(&founder.me, &met, id(3), NOW).unwrap();
    assert_eq!(at_founder.admit(&id(3), &renewed, "", NOW), Ok(Role::Member));
    assert_eq!(founder.desk().renew(&founder.me, &unmet, id(4), NOW), Err(Refusal::Removed));
}

fn member_of(at: &Arc<Membership>, who: &Place) -> Result<Role, NotMember> {
    let admin = Credential { certificate: admin_certificate(at, who), issuer: None };
    at.admit(&who.id(), &admin, "", NOW)
}

/// The one that it had before it was removed.
fn admin_certificate(at: &Arc<Membership>, who: &Place) -> Signed<Certificate> {
    assert!(at.read().roll.admin(&who.id()).is_none());
    who.desk().held().unwrap().unwrap().roll.admin(&who.id()).unwrap().clone()
}

#[test]
fn a_lost_mesh_is_restored_from_the_key_that_was_kept() {
    let (founder, member, after) = (Place::new(1), Place::new(2), Place::new(3));
    let mesh = founder.desk().create("实验室", &founder.me, NOW).unwrap().mesh;
    join(&founder, &member);
    let kept = founder.folder.path().join("kept.txt");
    founder.desk().export(&kept, true).unwrap();
    assert!(matches!(founder.desk().export(&kept, false), Err(MeshError::FounderOnly)));
    assert!(matches!(founder.desk().promote(member.id(), NOW), Err(MeshError::FounderOnly)));
    join(&founder, &Place::new(9));
    // All admins are gone. A member becomes one, and so does a new node.
    let held = member.desk().restore(&kept, &member.me, NOW).unwrap();
    assert!(held.founder && held.role(&member.id()).unwrap() == Role::Admin);
    let held = after.desk().restore(&kept, &after.me, NOW).unwrap();
    assert_eq!((held.mesh, held.name.as_str()), (mesh, "实验室"));
    let (one, two) = (member.open(), after.open());
    assert_eq!(one.admit(&after.id(), &two.credential(), "", NOW), Ok(Role::Admin));
    assert_eq!(two.admit(&member.id(), &one.credential(), "", NOW), Ok(Role::Admin));
    // Not over another mesh, nor from another file.
    let other = Place::new(4);
    other.desk().create("other", &other.me, NOW).unwrap();
    assert!(matches!(other.desk().restore(&kept, &other.me, NOW), Err(MeshError::OtherMesh)));
    std::fs::write(&kept, "nothing").unwrap();
    assert!(matches!(after.desk().restore(&kept, &after.me, NOW), Err(MeshError::NoKey(_))));
}

#[test]
fn leaving_keeps_the_founders_key_unless_told() {
    let founder = Place::new(1);
    founder.desk().create("lab", &founder.me, NOW).unwrap();
    assert!(matches!(founder.desk().create("b", &founder.me, NOW), Err(MeshError::Already(_))));
    assert!(matches!(founder.desk().leave(false), Err(MeshError::KeyHere)));
    assert_eq!(founder.desk().leave(true).unwrap(), "lab");
    assert!(founder.desk().held().unwrap().is_none());
    assert!(matches!(founder.desk().leave(true), Err(MeshError::NoMesh)));
}

#[test]
fn certificates_are_renewed_early() {
    let (founder, member) = (Place::new(1), Place::new(2));
    founder.desk().create("lab", &founder.me, NOW).unwrap();
    join(&founder, &member);
    let at = member.open();
    let day = 24 * 60 * 60 * 1000;
    assert!(!at.due(NOW + 9 * day));
    assert!(at.due(NOW + 11 * day));
    assert!(at.due(NOW + 90 * day), "late is better than never");
    let late = NOW + 90 * day;
    let renewed = founder.desk().renew(&founder.me, &at.credential(), member.id(), late).unwrap();
    at.adopt(&renewed, late).unwrap();
    assert!(!at.due(late) && at.outcast(late).is_none());
    assert_eq!(member.open().not_after(), late + desk::MEMBER_MS, "it is on the disk");
    // What the founder signed holds for years, and is renewed where the key is.
    assert_eq!(founder.desk().renew_admins(NOW + 2 * 365 * day).unwrap(), 0);
    assert_eq!(founder.desk().renew_admins(NOW + 4 * 365 * day).unwrap(), 1);
    let at = founder.open();
    assert_eq!(at.not_after(), NOW + 4 * 365 * day + FOUNDER_MS);
}

#[test]
fn a_broken_file_is_said() {
    let founder = Place::new(1);
    founder.desk().create("lab", &founder.me, NOW).unwrap();
    std::fs::write(founder.folder.path().join("mesh/membership.cbor"), b"\xff").unwrap();
    let error = founder.desk().held().unwrap_err();
    assert!(matches!(error, MeshError::Corrupt { .. }), "{error}");
    let other = Place { me: key(5), ..Place::new(1) };
    other.desk().create("lab", &key(6), NOW).unwrap();
    let opened = Membership::open(other.folder.path(), &other.me);
    assert!(matches!(opened, Err(MeshError::OtherIdentity)));
}

#[test]
fn a_full_revocation_of_an_admin_fits() {
    let kept: Vec<u8> = (0..=200).collect();
    let Record::Removal(removal) = removal(1, 0, 0, 0, &kept) else { unreachable!() };
    let said = Revocation {
        kept: (0..MAX_KEPT).map(|_| PeerId::random().to_bytes().into()).collect(),
        ..removal.revocation.verify().unwrap()
    };
    Signed::sign(&said, &key(0)).expect("it is not too long");
}
