//! What a person may wish of letters that are under way: that they rest and go on, and that what is over
//! is forgotten.

use super::*;

/// Two nodes that know each other, and a file that takes a while.
async fn two(folder: &Path) -> (Node, Node, PathBuf) {
    let bob = at_home("bob", folder).start().await;
    let alice = at_home("alice", folder).joining(&bob).start().await;
    all_see_all(&[&bob, &alice]).await;
    people_are_met(&alice, 1).await;
    people_are_met(&bob, 1).await;
    let file = folder.join("large.bin");
    let mut bytes = vec![0; 64 << 20];
    SmallRng::seed_from_u64(7).fill(&mut bytes[..]);
    std::fs::write(&file, bytes).expect("it is written");
    (bob, alice, file)
}

async fn coming(client: &Client) -> Vec<Coming> {
    match client.mail(Ask::Inbox { with: None }).await {
        Ok(Told::Inbox { coming, .. }) => coming,
        other => panic!("{other:?}"),
    }
}

async fn arrives_whole(client: &Client, sent: &str, file: &Path, folder: &Path) {
    until("it is there", async || {
        let came = inbox(client).await;
        came.iter().any(|one| one.id == sent && one.contents.is_some()).then_some(())
    })
    .await;
    let ask = Ask::Save { id: sent.to_owned(), folder: folder.to_owned() };
    let Ok(Told::Saved(saved)) = client.mail(ask).await else { panic!("it is not saved") };
    let same =
        std::fs::read(&saved[0]).expect("readable") == std::fs::read(file).expect("readable");
    assert!(same, "another file came");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_arrives_rests_and_goes_on_from_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (bob, alice, file) = two(folder.path()).await;
    let sent = send(&alice.client(), "bob", "for you", vec![file.clone()]).await;
    let id = sent.id.clone();
    until("some of it is there", async || {
        coming(&bob.client()).await.iter().any(|one| one.here > 0).then_some(())
    })
    .await;
    assert_eq!(bob.client().mail(Ask::Pause { id: id.clone() }).await, Ok(Told::Done));
    // The sender is told why it waits, and nothing moves.
    until("it waits", async || {
        let sent = outbox(&alice.client()).await;
        let why = sent[0].waits.clone()?;
        (sent[0].moved.is_none() && why.contains("rest")).then_some(())
    })
    .await;
    let resting = coming(&bob.client()).await;
    assert!(resting.len() == 1 && resting[0].paused && resting[0].here > 0, "{resting:?}");
    assert!(inbox(&bob.client()).await.is_empty());
    // Its id names it although there is no letter yet; what goes on is not asked for a minute later.
    let asked = std::time::Instant::now();
    assert_eq!(bob.client().mail(Ask::Resume { id: id[..8].to_owned() }).await, Ok(Told::Done));
    arrives_whole(&bob.client(), &id, &file, &folder.path().join("saved")).await;
    println!("it went on and arrived within {:?}", asked.elapsed());
    assert!(coming(&bob.client()).await.is_empty());
    let over = bob.client().mail(Ask::Pause { id }).await;
    assert!(over.is_err(), "{over:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_is_sent_rests_also_after_a_restart_and_is_forgotten_when_it_is_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let (bob, alice, file) = two(folder.path()).await;
    let sent = send(&alice.client(), "bob", "for you", vec![file.clone()]).await;
    let id = sent.id.clone();
    assert_eq!(alice.client().mail(Ask::Pause { id: id.clone() }).await, Ok(Told::Done));
    until("nothing comes", async || coming(&bob.client()).await.is_empty().then_some(())).await;
    let under_way = alice.client().mail(Ask::Delete { id: id.clone() }).await;
    assert!(under_way.is_err(), "{under_way:?}");
    alice.stop().await;
    let alice = at_home("alice", folder.path()).joining(&bob).start().await;
    all_see_all(&[&bob, &alice]).await;
    // A later letter arrives, and this one rests all the same.
    send(&alice.client(), "bob", "later", vec![]).await;
    opened(&bob.client(), 1).await;
    let resting = outbox(&alice.client()).await;
    assert!(resting.iter().any(|one| one.id == id && one.paused && one.stage == Stage::Queued));
    assert_eq!(alice.client().mail(Ask::Resume { id: id.clone() }).await, Ok(Told::Done));
    arrives_whole(&bob.client(), &id, &file, &folder.path().join("saved")).await;
    until("that is known", async || {
        let sent = outbox(&alice.client()).await;
        sent.iter().all(|one| one.stage.is_over()).then_some(())
    })
    .await;
    let again = alice.client().mail(Ask::Pause { id: id.clone() }).await;
    assert!(again.is_err(), "{again:?}");
    assert_eq!(alice.client().mail(Ask::Delete { id: id.clone() }).await, Ok(Told::Done));
    assert!(outbox(&alice.client()).await.iter().all(|one| one.id != id));
}
