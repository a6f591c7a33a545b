//! What a call holds of its peer's limits, and the calls of today on the disk.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use libp2p::PeerId;

use super::meter::{Days, Meter, Over, Taken};
use crate::{network::now_ms, private};

/// The file in the data folder.
pub const LEDGER_FILE: &str = "calls-today.json";
/// The largest file that is read.
const MAX_FILE: u64 = 16 << 20;

/// A [`Meter`] with a lock and a file.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    meter: Mutex<Meter>,
    file: Option<PathBuf>,
    /// How many changes the file has seen. Held while the disk is waited for.
    kept: Mutex<u64>,
}

/// What a call holds while it is here. Dropping it makes room for others of that peer.
#[derive(Debug, Default)]
pub struct Pass(Option<Held>);

#[derive(Debug)]
struct Held {
    ledger: Arc<Ledger>,
    who: PeerId,
    capability: String,
    taken: Taken,
    ran: bool,
}

impl Ledger {
    /// Goes on from what is kept in a folder, where there is something.
    pub(super) fn open(folder: Option<&Path>) -> Self {
        let file = folder.map(|folder| folder.join(LEDGER_FILE));
        let mut meter = Meter::default();
        match file.as_deref().map(read) {
            Some(Ok(days)) => meter.resume(days),
            // No owner should have to mend a count: this day begins again.
            Some(Err(why)) => tracing::warn!(%why, "{LEDGER_FILE} cannot be read; it begins at 0"),
            None => {}
        }
        Self { meter: Mutex::new(meter), file, kept: Mutex::default() }
    }

    pub(super) fn meter(&self) -> MutexGuard<'_, Meter> {
        self.meter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call of a peer now, or says what of it is too much.
    pub(super) fn take(self: &Arc<Self>, who: PeerId, capability: &str) -> Result<Pass, Over> {
        let taken = self.meter().take(&who, capability, now_ms())?;
        if taken == Taken::default() {
            return Ok(Pass::default());
        }
        let ledger = self.clone();
        Ok(Pass(Some(Held { ledger, who, capability: capability.to_owned(), taken, ran: false })))
    }

    /// Returns when so many changes are on the disk. Waits for it.
    fn keep(&self, changes: u64) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Who waited while another wrote is in what that one wrote.
        if *kept < changes {
            let (days, seen) = self.meter().to_keep();
            private::replace(file, &serde_json::to_vec(&days)?)?;
            *kept = seen;
        }
        Ok(())
    }
}

impl Pass {
    /// The call begins to run: from now on it is one of its day, and that is on the disk when this
    /// returns.
    pub(super) async fn run(&mut self) -> io::Result<()> {
        let Some(held) = &mut self.0 else { return Ok(()) };
        if let Some(changes) = held.taken.kept_by() {
            let ledger = held.ledger.clone();
            tokio::task::spawn_blocking(move || ledger.keep(changes)).await??;
        }
        held.ran = true;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let taken = std::mem::take(&mut self.taken);
        self.ledger.meter().give_back(&self.who, &self.capability, taken, self.ran);
    }
}

fn read(file: &Path) -> io::Result<Days> {
    let mut bytes = Vec::new();
    match File::open(file) {
        Ok(file) => file.take(MAX_FILE).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Days::default()),
        Err(error) => return Err(error),
    };
    Ok(serde_json::from_slice(&bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::PeerLimits, directory::tests::peer};

    fn ledger(folder: Option<&Path>, limits: PeerLimits) -> Arc<Ledger> {
        let ledger = Ledger::open(folder);
        ledger.meter().change([("chat/1".to_owned(), limits)].into());
        Arc::new(ledger)
    }

    fn a_day(per_day: u32) -> PeerLimits {
        PeerLimits { per_day: Some(per_day), ..PeerLimits::default() }
    }

    #[tokio::test]
    async fn what_ran_is_on_the_disk_and_what_did_not_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let before = ledger(Some(folder.path()), a_day(2));
        drop(before.take(peer(2), "chat/1").unwrap());
        assert!(!folder.path().join(LEDGER_FILE).exists(), "nothing ran");
        let mut passes: Vec<_> = (0..2).map(|_| before.take(peer(2), "chat/1").unwrap()).collect();
        for pass in &mut passes {
            pass.run().await.unwrap();
        }
        // Killed: nothing is given back.
        let after = ledger(Some(folder.path()), a_day(2));
        assert!(matches!(after.take(peer(2), "chat/1"), Err(Over::UsedUp { per_day: 2, .. })));
        assert!(after.take(peer(3), "chat/1").is_ok());
        // A file that is none begins the day again.
        std::fs::write(folder.path().join(LEDGER_FILE), "{").unwrap();
        let again = ledger(Some(folder.path()), a_day(2));
        again.take(peer(2), "chat/1").unwrap().run().await.unwrap();
    }

    #[tokio::test]
    async fn nothing_runs_that_cannot_be_counted() {
        let folder = tempfile::tempdir().unwrap();
        let gone = ledger(Some(&folder.path().join("gone")), a_day(1));
        for _ in 0..2 {
            let mut pass = gone.take(peer(2), "chat/1").expect("the last one did not run");
            assert!(pass.run().await.is_err());
        }
        // Without a folder it is counted in memory.
        let none = ledger(None, a_day(1));
        none.take(peer(2), "chat/1").unwrap().run().await.unwrap();
        assert!(none.take(peer(2), "chat/1").is_err());
    }

    #[tokio::test]
    async fn who_ends_makes_room() {
        let ledger = ledger(None, PeerLimits { at_once: Some(1), ..PeerLimits::default() });
        let pass = ledger.take(peer(2), "chat/1").unwrap();
        assert_eq!(ledger.take(peer(2), "chat/1").unwrap_err(), Over::Crowded);
        assert!(ledger.take(peer(3), "chat/1").is_ok() && ledger.take(peer(2), "faces/1").is_ok());
        drop(pass);
        assert!(ledger.take(peer(2), "chat/1").is_ok());
    }
}
