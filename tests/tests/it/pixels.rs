//! Pictures that wait for memory hold up nothing else.

use std::{io::Cursor, sync::Arc, time::Duration};

use image::{ImageFormat, RgbImage};
use potluck::{
    client::{Call, CallInput},
    protocol,
    services::{self, recognize},
};
use potluck_models::PixelBudget;
use potluck_tests::mesh::{PATIENCE, Setup, spawn};

fn look_at(file: Vec<u8>, timeout: Duration) -> Call {
    let request = recognize::Request { model: None, top: 5 };
    Call {
        capability: "recognize/1".to_owned(),
        variant: None,
        args: protocol::encode(&request).expect("encodes"),
        input: Some(CallInput::Bytes(Arc::from(file))),
        timeout,
        only: None,
        progress: None,
    }
}

fn png(side: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(side, side).write_to(&mut bytes, ImageFormat::Png).expect("written");
    bytes.into_inner()
}

async fn until_waiting(count: usize) {
    let reached = async {
        while PixelBudget::of_process().waiting() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, reached).await.expect("pictures wait");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_pictures_are_answered_while_large_ones_wait_for_memory() {
    let setup = Setup::new("server").configured(|config| {
        config.services.offer = Some(vec!["recognize/1".to_owned()]);
        // Four slots, so that one is left.
        config.services.threads = 2;
    });
    let registry = services::all(&setup.config, None).expect("the services start");
    let node = Setup { registry, ..setup }.start().await;
    let client = node.client();
    // The budget of this whole process: still more than any other test here needs.
    let budget = PixelBudget::of_process();
    budget.set(256 << 20);
    let held = budget.room(budget.most(), &|| false).expect("room");

    let large = png(3000);
    // More of them than there are threads.
    let waiting: Vec<_> =
        (0..3).map(|_| spawn(&client, look_at(large.clone(), PATIENCE))).collect();
    until_waiting(3).await;
    let small = potluck_models::samples()[0].bytes.to_vec();
    for _ in 0..3 {
        client.call(look_at(small.clone(), PATIENCE)).await.expect("an answer");
    }
    // One whose time is up leaves the queue.
    client.call(look_at(large, Duration::from_millis(200))).await.expect_err("no room");
    until_waiting(3).await;
    drop(held);
    for call in waiting {
        call.await.expect("no panic").expect("an answer");
    }

    // Not even alone: the person is told at once, and what to do.
    let huge = client.call(look_at(png(9000), PATIENCE)).await.expect_err("it never fits");
    assert!(huge.message.contains("too large for this machine"), "{huge:?}");
    assert_eq!(budget.waiting(), 0);
}
