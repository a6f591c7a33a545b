//! Messages to brokers over plain TCP, by as many publishers at once as there are senders of letters, each with a
//! window of messages that are not acknowledged yet.

use std::{ops::Range, thread, time::Instant};

use anyhow::anyhow;

/// Messages of one sender that are under way at once; likewise letters that are being put into an outbox.
pub(super) const WINDOW: usize = 64;
/// Bytes of a message.
pub(super) const SIZE: usize = 1_000;

/// What is sent, by whomever.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    /// How many send at once.
    pub(super) senders: usize,
    /// How much each of them sends.
    pub(super) each: usize,
}

impl Load {
    /// All messages together.
    pub(super) fn all(self) -> usize {
        self.senders * self.each
    }
}

/// One connection to a broker.
pub(super) trait Publisher: Send {
    /// Writes the messages of these numbers; they count from 0.
    fn write(&mut self, numbers: Range<usize>) -> anyhow::Result<()>;

    /// Waits until messages are acknowledged, and says how many were since the last time.
    fn acknowledged(&mut self) -> anyhow::Result<usize>;
}

/// A message, or the text of a letter.
pub(super) fn text(number: usize) -> String {
    let mut text = format!("{number:06} ");
    while text.len() < SIZE {
        text.push_str("about as much as somebody writes who has something to say; ");
    }
    text.truncate(SIZE);
    text
}

/// Messages a second until the last of all publishers is acknowledged.
pub(super) fn rate(publishers: Vec<impl Publisher>, load: Load) -> anyhow::Result<f64> {
    let started = Instant::now();
    thread::scope(|scope| {
        let all = publishers.into_iter().map(|one| scope.spawn(move || publish(one, load.each)));
        let all: Vec<_> = all.collect();
        all.into_iter()
            .try_for_each(|one| one.join().unwrap_or_else(|_| Err(anyhow!("a publisher panicked"))))
    })?;
    Ok(load.all() as f64 / started.elapsed().as_secs_f64())
}

fn publish(mut publisher: impl Publisher, count: usize) -> anyhow::Result<()> {
    let (mut written, mut done) = (0, 0);
    while done < count {
        let until = count.min(done + WINDOW);
        if written < until {
            publisher.write(written..until)?;
            written = until;
        }
        done += publisher.acknowledged()?;
    }
    Ok(())
}
