//! Restarts, flipped bits, and power that goes while the disk writes.

use super::*;

#[tokio::test]
async fn what_was_committed_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("mail");
    let store = Store::open(&mail).unwrap();
    let commits = (0..200_u64).map(|n| {
        let change = Change::put(Table::Sent, &n.to_be_bytes(), &n).unwrap();
        let store = &store;
        async move { store.commit(vec![change]).await }
    });
    futures::future::try_join_all(commits).await.unwrap();
    store.commit(vec![Change::remove(Table::Sent, &7_u64.to_be_bytes())]).await.unwrap();
    assert!(matches!(Store::open(&mail), Err(StoreError::InUse)));
    drop(store);
    let (all, bad) = Store::open(&mail).unwrap().all::<u64>(Table::Sent).unwrap();
    assert_eq!((all.len(), bad), (199, 0));
}

#[tokio::test]
async fn a_store_that_is_opened_again_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let commit = async |n: u64| {
        store.commit(vec![Change::put(Table::Sent, &n.to_be_bytes(), &n).unwrap()]).await
    };
    commit(1).await.unwrap();
    let reopen = async || store.place_in_line().await?.reopen().wait().await;
    reopen().await.unwrap();
    commit(2).await.unwrap();
    assert_eq!(store.all::<u64>(Table::Sent).unwrap().0.len(), 2);
    // What it cannot open, such as a folder, is said by all, until it can.
    let (file, aside) = (folder.path().join(FILE), folder.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    fs::create_dir(&file).unwrap();
    assert!(reopen().await.is_err());
    assert!(commit(3).await.is_err() && store.all::<u64>(Table::Sent).is_err());
    fs::remove_dir(&file).unwrap();
    fs::rename(&aside, &file).unwrap();
    reopen().await.unwrap();
    commit(4).await.unwrap();
    assert_eq!(store.all::<u64>(Table::Sent).unwrap().0.len(), 3);
}

#[tokio::test]
async fn a_flipped_bit_costs_the_record_that_it_is_in_and_never_gives_a_wrong_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let text = "a letter of some length ".repeat(20);
    for n in 0..50_u8 {
        let change = Change::put(Table::Received, &[n], &format!("{n} {text}")).unwrap();
        store.commit(vec![change]).await.unwrap();
    }
    drop(store);
    let path = folder.path().join(FILE);
    let good = fs::read(&path).unwrap();
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut rng = <rand::rngs::SmallRng as rand::SeedableRng>::seed_from_u64(seed);
    let (mut saved, mut missing, mut whole) = (0, 0, 0);
    for _ in 0..150 {
        let mut bytes = good.clone();
        let at = rand::RngExt::random_range(&mut rng, 0..bytes.len());
        bytes[at] ^= 1 << rand::RngExt::random_range(&mut rng, 0..8);
        fs::write(&path, &bytes).unwrap();
        let read = Store::open(folder.path())
            .and_then(|store| store.all::<String>(Table::Received))
            .unwrap_or_else(|error| panic!("byte {at}: {error}"));
        let (all, bad) = read;
        missing += usize::from(bad > 0 || all.len() < 50);
        whole += usize::from(all.len() >= 49);
        for (key, record) in all {
            assert_eq!(record, format!("{} {text}", key[0]), "byte {at}");
        }
        for entry in fs::read_dir(folder.path()).unwrap().flatten() {
            if entry.file_name().to_string_lossy().contains("damaged") {
                saved += 1;
                fs::remove_file(entry.path()).unwrap();
            }
        }
    }
    println!("{saved} were damaged, {missing} lack a record, {whole} lack one at most");
    assert!(saved > 0 && whole > 100, "most of it can be read");
    fs::write(&path, &good[..good.len() / 2]).unwrap();
    let (all, _) = Store::open(folder.path()).unwrap().all::<String>(Table::Received).unwrap();
    println!("of half a file {} records were read", all.len());
}

#[tokio::test]
async fn files_of_nobody_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (known, unknown) = (EnvelopeId([1; 16]), EnvelopeId([2; 16]));
    for id in [known, unknown] {
        store.keep_as(store.temporary().unwrap(), &store.sealed(&id)).unwrap();
    }
    let (_, left) = store.temporary().unwrap().keep().unwrap();
    store.sweep(|id| *id == known).unwrap();
    let there = [store.sealed(&known), store.sealed(&unknown), left].map(|path| path.exists());
    assert_eq!(there, [true, false, false]);
    store.discard(&known);
    assert!(!store.sealed(&known).exists());
}

/// A disk that, when the power goes, has lost any part of what was written since it was last told to
/// keep it.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Sectors>>);

#[derive(Debug, Default)]
struct Sectors {
    kept: Vec<u8>,
    /// What was written or cut off since, in order.
    since: Vec<Written>,
    now: Vec<u8>,
    /// How often it still does what it is told before the power goes.
    left: usize,
}

#[derive(Debug, Clone)]
enum Written {
    Length(u64),
    Bytes(u64, Vec<u8>),
}

/// What is written at a stroke: a sector.
const SECTOR: usize = 512;

impl Sectors {
    fn dead(&mut self) -> io::Result<()> {
        self.left = self.left.saturating_sub(1);
        if self.left == 0 { Err(io::Error::other("the power is gone")) } else { Ok(()) }
    }

    fn apply(bytes: &mut Vec<u8>, written: &Written) {
        match written {
            Written::Length(length) => bytes.resize(*length as usize, 0),
            Written::Bytes(at, some) => {
                let (at, end) = (*at as usize, *at as usize + some.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[at..end].copy_from_slice(some);
            }
        }
    }
}

impl Disk {
    fn sectors(&self) -> std::sync::MutexGuard<'_, Sectors> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power goes: of what was not kept, any sectors are there, whatever their order.
    fn after_power_loss(&self, rng: &mut rand::rngs::SmallRng, lives: usize) -> Self {
        let sectors = self.sectors();
        let mut kept = sectors.kept.clone();
        for written in &sectors.since {
            match written {
                Written::Length(_) => Sectors::apply(&mut kept, written),
                Written::Bytes(at, some) => {
                    for (n, sector) in some.chunks(SECTOR).enumerate() {
                        if rand::RngExt::random_bool(rng, 0.5) {
                            let at = at + (n * SECTOR) as u64;
                            Sectors::apply(&mut kept, &Written::Bytes(at, sector.to_vec()));
                        }
                    }
                }
            }
        }
        let now = kept.clone();
        Self(Arc::new(Mutex::new(Sectors { kept, since: vec![], now, left: lives })))
    }
}

impl redb::StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.sectors().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let sectors = self.sectors();
        let from = sectors.now.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(from.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut sectors = self.sectors();
        sectors.dead()?;
        sectors.now.resize(len as usize, 0);
        sectors.since.push(Written::Length(len));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut sectors = self.sectors();
        sectors.dead()?;
        sectors.kept = sectors.now.clone();
        sectors.since.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut sectors = self.sectors();
        sectors.dead()?;
        let written = Written::Bytes(offset, data.to_vec());
        Sectors::apply(&mut sectors.now, &written);
        sectors.since.push(written);
        Ok(())
    }
}

/// Two losses of power in a row, at any moment: what was acknowledged is there, whole, and what was not
/// is there whole or not at all.
#[test]
fn the_power_goes_twice_and_nothing_that_was_acknowledged_is_lost() {
    let seed: u64 = match std::env::var("POTLUCK_SEED") {
        Ok(seed) => seed.parse().unwrap(),
        Err(_) => rand::random(),
    };
    println!("POTLUCK_SEED={seed}");
    let mut rng = <rand::rngs::SmallRng as rand::SeedableRng>::seed_from_u64(seed);
    let mut acknowledged_in_all = 0;
    for round in 0..60 {
        let mut disk = Disk::default();
        disk.sectors().left = usize::MAX;
        // What each key has at least, and what it may have as well.
        let mut sure: BTreeMap<u8, u64> = BTreeMap::new();
        let mut number = 0;
        for life in 0..3 {
            let mut maybe: Vec<Vec<(u8, u64)>> = vec![];
            let opened = open_with(|builder| builder.create_with_backend(disk.clone()));
            if let Ok(Ok(db)) = &opened {
                let there = all_of(db);
                for (key, value) in &sure {
                    assert_eq!(
                        there.get(key),
                        Some(value),
                        "seed {seed} round {round} life {life}"
                    );
                }
                acknowledged_in_all += sure.len();
                for _ in 0..20 {
                    let together: Vec<_> = (0..rand::RngExt::random_range(&mut rng, 1..6_u8))
                        .map(|_| {
                            number += 1;
                            (rand::RngExt::random_range(&mut rng, 0..40_u8), number)
                        })
                        .collect();
                    let changes: Vec<_> = together
                        .iter()
                        .map(|(key, n)| Change::put(Table::Kept, &[*key], n).unwrap())
                        .collect();
                    if write(db, &changes).is_err() {
                        maybe.push(together);
                        break;
                    }
                    sure.extend(together);
                }
            } else {
                assert!(disk.sectors().left == 0, "seed {seed} round {round}: it does not open");
            }
            drop(opened);
            let lives = rand::RngExt::random_range(&mut rng, 20..300);
            disk = disk.after_power_loss(&mut rng, if life == 1 { usize::MAX } else { lives });
            // What was not acknowledged may be there, all of it.
            if let Ok(Ok(db)) = open_with(|builder| builder.create_with_backend(disk.clone())) {
                let there = all_of(&db);
                for together in maybe {
                    let last: BTreeMap<_, _> = together.into_iter().collect();
                    let came = last.iter().filter(|(key, n)| there.get(key) == Some(n)).count();
                    assert!(came == 0 || came == last.len(), "seed {seed}: a part of it");
                    if came > 0 {
                        sure.extend(last);
                    }
                }
            }
        }
    }
    assert!(acknowledged_in_all > 500, "{acknowledged_in_all}");
}

/// All records of the table that the test writes.
fn all_of(db: &Database) -> BTreeMap<u8, u64> {
    let reading = db.begin_read().unwrap();
    let records = reading.open_table(Table::Kept.definition()).unwrap();
    let all = records.iter().unwrap().map(|record| {
        let (key, value) = record.unwrap();
        (key.value()[0], read(key.value(), value.value()).expect("what was written"))
    });
    all.collect()
}
