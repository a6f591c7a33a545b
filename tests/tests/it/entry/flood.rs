//! An entry node under attack: made-up identities, and connections on which nothing is said, while
//! others go on working through it. Its memory stays bounded.

use std::{
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use libp2p::identity::Keypair;
use potluck::protocol::Hello;
use potluck_tests::{
    bare::{Bare, advert, tempting},
    entry::Entry,
    process::{NOTHING, Process, Up, wait_until},
};

/// What an entry node may have in such a test, in bytes.
const MEMORY: u64 = 400 << 20;

/// Two nodes of which one serves the other through the entry node.
fn pair(entry: &Entry) -> anyhow::Result<(Process, Process)> {
    let up = |name: &str| Up::on_loopback(name).args(["--join", entry.join()]);
    let server = up("server").args(["--offer", "chat"]).start()?;
    let asker = up("asker").args(NOTHING).start()?;
    wait_until(|| Ok(asker.json(["peers"])?.to_string().contains("chat/1")))?;
    wait_until(|| Ok(asker.json(["peers"])?.to_string().contains("p2p-circuit")))?;
    works(&asker, &server)?;
    Ok((server, asker))
}

fn works(asker: &Process, server: &Process) -> anyhow::Result<()> {
    let answer = asker.json(["ask", "hello", "--peer", server.id(), "--timeout", "30"])?;
    anyhow::ensure!(answer["served_by"]["id"] == server.id(), "{answer}");
    Ok(())
}

#[test]
fn a_thousand_half_open_connections_keep_nobody_out() -> anyhow::Result<()> {
    let entry = Entry::on_loopback("gate", &[])?;
    let (server, asker) = pair(&entry)?;
    let at = entry.join().split('/').nth(4).expect("a port");
    let at = format!("127.0.0.1:{at}");
    let mut open = Vec::new();
    for _ in 0..1_000 {
        open.push(TcpStream::connect(&at)?);
    }
    works(&asker, &server)?;
    // Whoever is new gets in too.
    let late = Up::on_loopback("late").args(["--join", entry.join()]).args(NOTHING).start()?;
    wait_until(|| Ok(late.peers()?.contains(&"server".to_owned())))?;
    works(&late, &server)?;
    assert_eq!(entry.page("/healthz")?.0, "HTTP/1.1 200 OK");
    assert!(entry.resident()? < MEMORY, "{} bytes", entry.resident()?);
    drop(open);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_made_up_identities_do_not_stop_calls() -> anyhow::Result<()> {
    const IDENTITIES: usize = 10_000;
    /// Four of five are only told of; 2,000 come themselves.
    const OTHERS: usize = 4;
    const AT_ONCE: usize = 8;
    let entry = Entry::on_loopback("gate", &[])?;
    let (server, asker) = tokio::task::block_in_place(|| pair(&entry))?;
    let id = entry.id().parse()?;
    let at = entry.join().split("/p2p/").next().expect("an address").to_owned();
    let (told, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let floods: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (at, told, over) = (at.clone(), told.clone(), over.clone());
            tokio::spawn(async move {
                while told.load(Relaxed) < IDENTITIES && !over.load(Relaxed) {
                    let Ok(bare) = Bare::knock(&at, id, Hello::new("potluck")).await else {
                        continue;
                    };
                    // Each tells of itself and of others that it made up.
                    let others = (0..OTHERS).map(|_| {
                        let key = Keypair::generate_ed25519();
                        let offers = vec![tempting("chat/1")];
                        advert(&key, "made up", offers).sign(&key).expect("signs")
                    });
                    let all = others.chain([bare.advert("made up", vec![])]).collect();
                    let _ = bare.tell(all).await;
                    told.fetch_add(OTHERS + 1, Relaxed);
                }
            })
        })
        .collect();
    let mut calls = 0;
    while told.load(Relaxed) < IDENTITIES || calls < 20 {
        tokio::task::block_in_place(|| works(&asker, &server))?;
        calls += 1;
    }
    over.store(true, Relaxed);
    for flood in floods {
        flood.await?;
    }
    tokio::task::block_in_place(|| works(&asker, &server))?;
    assert!(entry.resident()? < MEMORY, "{} bytes after {calls} calls", entry.resident()?);
    assert!(entry.metric("nodes")? <= 4_096, "its directory has a bound");
    assert_eq!(entry.page("/healthz")?.0, "HTTP/1.1 200 OK");
    Ok(())
}
