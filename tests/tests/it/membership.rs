//! Private meshes among nodes of one process: who gets in, what outsiders see, how a removal spreads.

use std::{path::Path, sync::Arc, time::Duration};

use libp2p::{PeerId, identity::Keypair};
use potluck::{
    Node,
    data_dir::DataDir,
    identity::Identity,
    membership::{Desk, Invite, Membership, Offer},
    network::{
        Errand, ErrandError, TransportKind,
        admission::{Admission, AdmissionError},
        now_ms, obtain,
    },
    protocol::{
        self, ADMISSION_PROTOCOL, BLOB_PROTOCOL, CALL_PROTOCOL, Certificate, Credential,
        EXCHANGE_PROTOCOL, Hello, PULSE_PROTOCOL, ROLL_PROTOCOL, Role,
        membership::{Pass, Refusal},
    },
};
use potluck_tests::{
    bare::{Bare, Raw, advert, framed, refusal, tempting},
    mesh::{Does, PATIENCE, Setup, WORK, Work, address, all_see_all, until, work_at},
};

/// The data folder of a node.
struct Home {
    folder: tempfile::TempDir,
    identity: Identity,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data_dir = DataDir::open(Some(folder.path().to_owned())).expect("a data folder");
        let identity = Identity::load_or_create(&data_dir).expect("an identity");
        Self { folder, identity }
    }

    /// One that has founded a mesh.
    fn founder() -> Self {
        let home = Self::new();
        home.desk().create("lab", home.identity.keypair(), now_ms()).expect("founded");
        home
    }

    /// One that was let into the mesh of another.
    fn member(of: &Self) -> Self {
        let home = Self::new();
        home.enter(of);
        home
    }

    fn enter(&self, admin: &Self) {
        let invite = admin.invite(vec![]);
        let desk = admin.desk();
        let got = desk.redeem(admin.identity.keypair(), &invite.token, self.id(), now_ms());
        self.desk().join(&invite, "lab".to_owned(), got.expect("let in")).expect("joined");
    }

    fn invite(&self, addresses: Vec<libp2p::Multiaddr>) -> Invite {
        let offer = Offer { uses: 1, until: now_ms() + 60_000, again: None };
        self.desk().invite(self.id(), offer, addresses, now_ms()).expect("an invite")
    }

    fn desk(&self) -> Desk {
        Desk::of(self.folder.path())
    }

    fn id(&self) -> PeerId {
        self.identity.peer_id()
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn setup(&self, name: &str) -> Setup {
        Setup::new(name).at_home(self.path())
    }

    /// What makes it a member, beside the node that runs there.
    fn membership(&self) -> Arc<Membership> {
        let opened = Membership::open(self.path(), self.identity.keypair());
        opened.expect("it can be read").expect("a member")
    }
}

fn serving(setup: Setup) -> Setup {
    setup.with(Work::new(100.0, Does::Answer).0)
}

async fn answers(asker: &Node, node: &Node) {
    let reply = asker.client().call(work_at(node.client().id())).await.expect("answered");
    assert_eq!(reply.served_by.name, node.client().name());
}

/// Waits until a node sees nobody of that id.
async fn until_gone(node: &Node, who: PeerId) {
    until(node, "it is gone", |mesh| !mesh.peers.contains_key(&who)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_meet_over_every_transport_and_others_do_not() {
    let transports: [fn(Setup) -> Setup; 3] = [|it| it, Setup::tcp, Setup::quic];
    for transport in transports {
        let (founder, other) = (Home::founder(), Home::founder());
        let (member, guest) = (Home::member(&founder), Home::new());
        let node = serving(transport(founder.setup("node"))).start().await;
        let asker = transport(member.setup("asker")).joining(&node).start().await;
        all_see_all(&[&node, &asker]).await;
        answers(&asker, &node).await;
        // An open node and one of another private mesh, on the same LAN, both ways.
        let open = serving(transport(guest.setup("open"))).joining(&node).start().await;
        let private = transport(other.setup("private")).joining(&node).joining(&open);
        let private = private.start().await;
        let at = |node: &Node| vec![address(node).parse().expect("an address")];
        node.client().join([at(&open), at(&private)].concat()).await.expect("told");
        // They have had the time to meet: a second member comes later and is seen.
        let second = Home::member(&founder);
        let late = serving(transport(second.setup("late"))).joining(&node).start().await;
        all_see_all(&[&node, &asker, &late]).await;
        answers(&asker, &late).await;
        assert_eq!(node.client().snapshot().peers.len(), 2);
        assert!(open.client().snapshot().peers.is_empty());
        assert!(private.client().snapshot().peers.is_empty());
    }
}

/// What somebody who is no member may try to pass with.
fn forgeries(founder: &Home, member: &Home, me: &Keypair) -> Vec<(&'static str, Pass)> {
    let id = me.public().to_peer_id();
    let mesh = founder.membership().mesh();
    let said = Certificate {
        version: 1,
        mesh: mesh.to_bytes(),
        subject: id.to_bytes(),
        role: Role::Admin,
        epoch: 0,
        by: id.to_bytes(),
        not_after: u64::MAX,
    };
    let by_itself = Credential::by_founder(&said, me).expect("signed");
    let of_another = member.membership().credential();
    let founders = founder.membership().credential();
    let behind_a_member = Certificate { role: Role::Member, ..said.clone() };
    let issuer = of_another.certificate.clone();
    let by_a_member = Credential::by_admin(&behind_a_member, me, issuer).expect("signed");
    let pass = |credential| Pass::Member { credential, digest: [0; 32] };
    vec![
        ("signed by itself", pass(by_itself.clone())),
        ("another's certificate", pass(of_another.clone())),
        ("the founder's certificate", pass(founders)),
        ("behind another's certificate", pass(by_a_member)),
        ("a renewal of another's", Pass::Renewal { credential: of_another }),
        ("a renewal of one's own", Pass::Renewal { credential: by_itself }),
        ("a token that is none", Pass::Token { token: vec![7; 16], name: "x".into() }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outsider_who_knows_everything_gets_nothing() {
    let founder = Home::founder();
    let member = Home::member(&founder);
    for transport in [Setup::tcp, Setup::quic] {
        let node = serving(transport(founder.setup("node"))).start().await;
        let (at, id, mesh) = (address(&node), node.client().id(), founder.membership().mesh());
        for (what, pass) in forgeries(&founder, &member, &Keypair::generate_ed25519()) {
            let me = Keypair::generate_ed25519();
            let told = matches!(pass, Pass::Token { .. } | Pass::Renewal { .. });
            let errand = Errand::new(me.public().to_peer_id(), mesh, id, pass);
            let at = [at.parse().expect("an address")];
            let got = obtain(&me, TransportKind::Real, errand, &at).await;
            // Who knows the mesh and comes for a certificate is told why it gets none.
            match (told, got.expect_err("nothing")) {
                (true, ErrandError::Refused(Refusal::Token | Refusal::NoAdmin)) => {}
                (false, ErrandError::NoAnswer) => {}
                (_, other) => panic!("{what}: {other}"),
            }
        }
        assert!(node.client().snapshot().peers.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_protocol_answers_before_admission_and_all_refusals_look_alike() {
    let founder = Home::founder();
    let node = serving(founder.setup("node").tcp()).start().await;
    let (at, id) = (address(&node), node.client().id());
    let mesh = founder.membership().mesh().to_string();
    let sealed = |bytes: Vec<u8>| Hello { sealed: Some(bytes), ..Hello::new("") };
    let hellos = [
        Hello::new("potluck"),
        Hello::new(""),
        Hello::new(mesh),
        sealed(vec![]),
        sealed(vec![7; 900]),
    ];
    for hello in hellos {
        let told = Bare::knock(&at, id, hello.clone()).await.err().expect("refused");
        let told = refusal(&told);
        assert!(matches!(told, AdmissionError::NoAnswer), "{hello:?}: {told}");
    }
    for protocol in [
        EXCHANGE_PROTOCOL,
        CALL_PROTOCOL,
        BLOB_PROTOCOL,
        PULSE_PROTOCOL,
        ROLL_PROTOCOL,
        "/ipfs/id/1.0.0",
        "/ipfs/ping/1.0.0",
        "/meshsub/1.1.0",
    ] {
        let mut raw = Raw::connect(&at).await;
        let _stream = raw.send(protocol, b"anything").await;
        let hello = framed(&protocol::encode(&Hello::new("potluck")).expect("encodes"));
        let _hello = raw.send(ADMISSION_PROTOCOL, &hello).await;
        tokio::time::timeout(PATIENCE, raw.ended()).await.expect("it is hung up on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invite_lets_one_node_in_over_the_network() {
    let founder = Home::founder();
    let node = serving(founder.setup("node").tcp()).start().await;
    let invite = founder.invite(vec![address(&node).parse().expect("an address")]);
    let (one, two) = (Home::new(), Home::new());
    let ask = |home: &Home| {
        let pass = Pass::Token { token: invite.token.to_vec(), name: "new".into() };
        let errand = Errand::new(home.id(), invite.mesh, invite.admin, pass);
        let (keypair, at) = (home.identity.keypair().clone(), invite.addresses.clone());
        async move { obtain(&keypair, TransportKind::Real, errand, &at).await }
    };
    // At once: one of them gets it.
    let (first, second) = tokio::join!(ask(&one), ask(&two));
    let (got, home) = match (first, second) {
        (Ok(got), Err(ErrandError::Refused(Refusal::Token))) => (got, &one),
        (Err(ErrandError::Refused(Refusal::Token)), Ok(got)) => (got, &two),
        (first, second) => panic!("{first:?} {second:?}"),
    };
    assert_eq!(got.name, "lab");
    home.desk().join(&invite, got.name, got.credential).expect("joined");
    let asker = home.setup("asker").tcp().joining(&node).start().await;
    all_see_all(&[&node, &asker]).await;
    answers(&asker, &node).await;
    // Somebody else at that address gets to see no token.
    let impostor = Home::founder();
    let there = impostor.setup("impostor").tcp().start().await;
    let pass = Pass::Token { token: invite.token.to_vec(), name: "new".into() };
    let errand = Errand::new(two.id(), invite.mesh, invite.admin, pass);
    let at = [address(&there).parse().expect("an address")];
    let got = obtain(two.identity.keypair(), TransportKind::Real, errand, &at).await;
    assert!(matches!(got, Err(ErrandError::NoAnswer)), "{got:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_reaches_everybody_and_holds_for_who_was_off() {
    let founder = Home::founder();
    let (out, friend, sleeper) =
        (Home::member(&founder), Home::member(&founder), Home::member(&founder));
    let node = serving(founder.setup("node").tcp()).start().await;
    let bad = serving(out.setup("bad").tcp()).joining(&node).start().await;
    let near = serving(friend.setup("friend").tcp()).joining(&node).joining(&bad).start().await;
    let asleep = sleeper.setup("sleeper").tcp().joining(&bad).start().await;
    all_see_all(&[&node, &bad, &near, &asleep]).await;
    answers(&bad, &near).await;
    let (at_bad, at_near) = (address(&bad), address(&near));
    asleep.stop().await;

    founder.desk().revoke(founder.identity.keypair(), out.id()).expect("revoked");
    node.client().reload().await.expect("taken up");
    for node in [&node, &near] {
        until_gone(node, out.id()).await;
    }
    bad.client().call(work_at(near.client().id())).await.expect_err("nobody serves it");
    // It comes back with old friends' addresses, and by itself, and is not let in.
    bad.client().join(vec![at_near.parse().expect("an address")]).await.expect("told");
    let again = Bare::admitted(
        &at_near,
        near.client().id(),
        out.identity.keypair().clone(),
        Admission::member(out.membership()),
    );
    let told = again.await.err().expect("not let in");
    assert!(matches!(refusal(&told), AdmissionError::NoAnswer), "{told}");
    // Who was off hears of it before anything else, though the one who is out is there first.
    let join = |setup: Setup, at: &str| {
        let at = at.to_owned();
        setup.configured(move |config| config.network.join.push(at))
    };
    let awake = join(join(sleeper.setup("sleeper").tcp(), &at_bad), &at_near).start().await;
    until(&awake, "the friend", |mesh| mesh.peers.contains_key(&friend.id())).await;
    until_gone(&awake, out.id()).await;
    answers(&awake, &near).await;
    assert!(!near.client().snapshot().peers.contains_key(&out.id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_reach_each_other_through_an_entry_node_and_outsiders_reach_nobody() {
    let founder = Home::founder();
    let (gate, member) = (Home::member(&founder), Home::member(&founder));
    let entry = gate.setup("gate").entry().start().await;
    let server = serving(founder.setup("server")).joining(&entry).start().await;
    let asker = member.setup("asker").joining(&entry).start().await;
    all_see_all(&[&asker, &server]).await;
    let through = |mesh: &potluck::network::Snapshot| {
        let server = mesh.peers.get(&founder.id());
        server.and_then(|view| view.advert.multiaddrs().into_iter().next())
    };
    until(&asker, "an address", |mesh| through(mesh).is_some()).await;
    let circuit = through(&asker.client().snapshot()).expect("an address");
    answers(&asker, &server).await;
    until(&asker, "the way through the entry node", |mesh| {
        mesh.peers.get(&founder.id()).is_some_and(|view| view.relayed)
    })
    .await;
    // One of no mesh and one of another know all addresses.
    let other = Home::founder();
    for outsider in [Setup::new("open"), other.setup("other")] {
        let outsider = outsider.joining(&entry).start().await;
        outsider.client().join(vec![circuit.clone()]).await.expect("told");
        // Those who are members go on meanwhile.
        answers(&asker, &server).await;
        let late = Home::member(&founder);
        let late = late.setup("late").joining(&entry).start().await;
        all_see_all(&[&late, &server]).await;
        assert!(outsider.client().snapshot().peers.is_empty());
        late.stop().await;
    }
    assert!(!asker.client().snapshot().peers.contains_key(&other.id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_cannot_make_others_up() {
    let founder = Home::founder();
    let villain = Home::member(&founder);
    let node = serving(founder.setup("node").tcp()).start().await;
    let key = villain.identity.keypair().clone();
    let membership = villain.membership();
    let (at, id) = (address(&node), node.client().id());
    let admission = Admission::member(membership.clone());
    let bare = Bare::admitted(&at, id, key.clone(), admission).await.expect("let in");
    let mesh = membership.mesh().to_string();
    let crowd: Vec<_> = (0..50).map(|_| Keypair::generate_ed25519()).collect();
    let made_up = |key: &Keypair, pass: Option<Credential>| {
        let said = advert(key, "nobody", vec![tempting(WORK)]);
        let said = potluck::protocol::Advert { mesh: mesh.clone(), pass, ..said };
        said.sign(key).expect("signed")
    };
    let mut adverts: Vec<_> = crowd.iter().map(|key| made_up(key, None)).collect();
    let own = Some(membership.credential());
    adverts.extend(crowd.iter().map(|key| made_up(key, own.clone())));
    adverts.push(made_up(&key, own));
    bare.tell(adverts).await;
    until(&node, "the villain itself", |mesh| mesh.peers.contains_key(&villain.id())).await;
    assert_eq!(node.client().snapshot().peers.len(), 1, "and nobody else");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_is_made_and_makes_members_and_is_unmade() {
    let founder = Home::founder();
    let deputy = Home::member(&founder);
    let node = serving(founder.setup("node").tcp()).start().await;
    let other = serving(deputy.setup("deputy").tcp()).joining(&node).start().await;
    all_see_all(&[&node, &other]).await;
    founder.desk().promote(deputy.id(), now_ms()).expect("promoted");
    node.client().reload().await.expect("taken up");
    // The word goes by itself; then it signs for others.
    let signed = async {
        while deputy
            .desk()
            .held()
            .expect("held")
            .expect("member")
            .roll
            .admin(&deputy.id())
            .is_none()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, signed).await.expect("it learns that it is an admin");
    let third = Home::new();
    third.enter(&deputy);
    let late = serving(third.setup("third").tcp()).joining(&other).start().await;
    all_see_all(&[&node, &other, &late]).await;
    // The founder's node has met the third: it stays when the deputy goes.
    let known = async {
        while !founder.desk().known().expect("known").iter().any(|it| it.peer() == Some(third.id()))
        {
            node.client().reload().await.expect("told");
            founder.membership().remember().expect("kept");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(PATIENCE, known)
        .await
        .expect("the founder's node writes down whom it met");
    assert_eq!(founder.desk().revoke(founder.identity.keypair(), deputy.id()).expect("out"), 1);
    node.client().reload().await.expect("taken up");
    until_gone(&node, deputy.id()).await;
    until_gone(&late, deputy.id()).await;
    answers(&late, &node).await;
}
