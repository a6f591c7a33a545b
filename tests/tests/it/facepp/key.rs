//! The key: offered only while it works, and shown nowhere.

use std::{os::unix::fs::PermissionsExt as _, time::Duration};

use potluck::{
    client::FailureKind,
    services::facepp::{self, Request},
};
use potluck_tests::{
    facepp::{Does, KEY, Mock, SECRET, write_key},
    mesh::{Setup, until},
    process::Up,
};

use super::{Alone, ask, call, failed, folder, holder, numbered, until_offered};

#[tokio::test(flavor = "multi_thread")]
async fn the_check_sends_no_picture_and_costs_nothing() {
    let alone = Alone::start().await;
    assert!(alone.node.client().offers().iter().any(|o| o.capability == "facepp/1"));
    assert_eq!((alone.mock.checks(), alone.mock.pictures()), (1, 0));
    assert_eq!(alone.ask(&numbered(0)).await.expect("answered").usage.calls_today, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_not_offered_until_its_file_changes() {
    let (mock, dir) = (Mock::start().await, folder());
    write_key(dir.path(), "a-wrong-secret");
    let node = holder("wrong", &mock, dir.path(), |_| {}).start().await;
    until_offered(&node, false).await;
    let ask = |n| {
        let node = &node;
        async move { ask(node, &numbered(n), &Request::default()).await }
    };
    failed(ask(0).await, FailureKind::NobodyServes, &["check key, secret and the region"]);
    assert_eq!((mock.checks(), mock.pictures()), (1, 0), "it is not asked again and again");
    write_key(dir.path(), SECRET);
    until_offered(&node, true).await;
    ask(0).await.expect("answered");
    // Refused from now on: the first call finds out, and the offer goes.
    mock.refuse_key(true);
    failed(ask(1).await, FailureKind::NobodyServes, &["does not know the key"]);
    until_offered(&node, false).await;
    std::fs::remove_file(dir.path().join("facepp.key")).expect("it is there");
    until_offered(&node, false).await;
    failed(ask(1).await, FailureKind::NobodyServes, &["facepp.key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_is_refused_with_advice() {
    let (mock, dir) = (Mock::start().await, folder());
    let file = dir.path().join("facepp.key");
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode));
    mode(0o644).expect("the file is ours");
    let node = holder("open", &mock, dir.path(), |_| {}).start().await;
    let result = ask(&node, &numbered(0), &Request::default()).await;
    failed(result, FailureKind::NobodyServes, &["chmod 600"]);
    assert_eq!(mock.checks(), 0, "an open key is not used");
    mode(0o600).expect("the file is ours");
    until_offered(&node, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_api_is_not_offered() {
    let (mock, dir) = (Mock::start().await, folder());
    let base = mock.base();
    let tls = holder("tls", &mock, dir.path(), |c| {
        c.change(|facepp: &mut facepp::Options| facepp.base = base.replace("http:", "https:"));
    });
    let tls = tls.start().await;
    until_offered(&tls, false).await;
    // The stand-in speaks no TLS, so this also shows that the client's TLS is set up.
    let result = ask(&tls, &numbered(0), &Request::default()).await;
    failed(result, FailureKind::NobodyServes, &["cannot be reached"]);
    // An address that stays taken, where nobody listens.
    let taken = tokio::net::TcpSocket::new_v4().expect("a socket");
    taken.bind("127.0.0.1:0".parse().expect("an address")).expect("bound");
    let nowhere = format!("http://{}", taken.local_addr().expect("an address"));
    let gone = holder("gone", &mock, dir.path(), |c| {
        c.change(|facepp: &mut facepp::Options| facepp.base = nowhere);
    })
    .start()
    .await;
    until_offered(&gone, false).await;
    failed(
        ask(&gone, &numbered(0), &Request::default()).await,
        FailureKind::NobodyServes,
        &["cannot be reached"],
    );
    assert_eq!(mock.pictures(), 0);
}

/// A real process that logs everything it can, asked over a real connection, by an API that repeats
/// the secret in its errors: it stands in no log, answer, advert or command line.
#[tokio::test(flavor = "multi_thread")]
async fn the_secret_is_shown_nowhere() -> anyhow::Result<()> {
    let (mock, data_dir) = (Mock::start().await, tempfile::tempdir()?);
    let data_dir = data_dir.path().join("data");
    std::fs::create_dir(&data_dir)?;
    std::fs::set_permissions(&data_dir, std::fs::Permissions::from_mode(0o700))?;
    let settings = format!("[facepp]\nbase = \"{}\"\nallow = \"everyone\"\n", mock.base());
    std::fs::write(data_dir.join("config.toml"), settings)?;
    let owner = tokio::task::spawn_blocking({
        let data_dir = data_dir.clone();
        move || {
            Up::on_loopback("owner")
                .args(["--offer", "facepp"])
                .env("POTLUCK_FACEPP_KEY", KEY)
                .env("POTLUCK_FACEPP_SECRET", SECRET)
                .env("RUST_LOG", "trace")
                .start_in(&data_dir)
        }
    })
    .await??;
    let join = owner.address().to_owned();
    let asker = Setup::new("asker").tcp().configured(|c| c.network.join.push(join)).start().await;
    let offered = |view: &potluck::network::PeerView| view.advert.offer("facepp/1").is_some();
    until(&asker, "the offer", |s| s.peers.values().any(offered)).await;

    let mut told = format!("{:?} {:?}", owner.ready(), asker.client().snapshot());
    let good = ask(&asker, &numbered(0), &Request::default()).await;
    told += &format!("{:?}", good.expect("answered"));
    mock.next(Does::Repeat);
    let mut bad = call(&numbered(1), &Request::default());
    bad.timeout = Duration::from_secs(10);
    let failure = asker.client().call(bad).await.expect_err("refused");
    assert!(failure.message.contains("you sent"), "{failure:?}");
    told += &format!("{failure:?}");
    mock.refuse_key(true);
    told += &format!("{:?}", ask(&asker, &numbered(2), &Request::default()).await);
    told += &std::fs::read_to_string(format!("/proc/{}/cmdline", owner.pid()))?;
    let log = owner.log();
    assert!(log.contains("TRACE") && log.contains("Face++"), "it logs everything");
    told += &log;
    for file in std::fs::read_dir(&data_dir)?.flatten().filter(|f| f.path().is_file()) {
        told += &String::from_utf8_lossy(&std::fs::read(file.path())?);
    }
    for secret in [KEY, SECRET] {
        let at = told.find(secret);
        assert!(at.is_none(), "{:?}", at.map(|at| &told[at.saturating_sub(200)..at]));
    }
    Ok(())
}
