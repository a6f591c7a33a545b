//! Sealing keys: what letters to this node are sealed to.
//!
//! They are age X25519 identities in a file that `age -d -i` reads as it is. A new one is made every
//! 30 days. An old one is kept as long as letters that are sealed to it may wait, and then erased:
//! what was read and deleted by then can be opened by nobody.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    str::FromStr as _,
};

use age::{
    secrecy::ExposeSecret as _,
    x25519::{Identity, Recipient},
};
use jiff::Timestamp;

use super::envelope::LONGEST_MS;
use crate::private;

/// The name of the file in the data folder.
pub const FILE: &str = "sealing.keys";
/// How long a key is the newest one.
const RENEW_MS: u64 = 30 * DAY_MS;
/// How much longer than a letter may wait a key is kept, for clocks that are wrong.
const SLACK_MS: u64 = 7 * DAY_MS;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Nothing much longer can be such a file: a few keys of 75 bytes.
const MAX_FILE: u64 = 64 * 1024;
/// What stands before the time of a key.
const CREATED: &str = "# created: ";

/// The sealing keys of this node, oldest first; there is always one.
pub struct Keyring {
    path: PathBuf,
    keys: Vec<Key>,
}

struct Key {
    made_at: u64,
    identity: Identity,
}

/// Why the sealing keys cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file holds something else.
    #[error("{} does not hold sealing keys (line {line}); put back a copy of it, or remove it: letters that are under way to you are lost then", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where.
        line: usize,
    },
    /// The file cannot be read or written.
    #[error("the sealing keys {} cannot be used ({source}); check the disk and that they are yours", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Keyring {
    /// Reads the keys of a data folder, makes a new one where it is due, and erases those that are
    /// too old. When this returns, the keys are on the disk.
    pub fn open(folder: &Path, now: u64) -> Result<Self, KeysError> {
        let path = folder.join(FILE);
        let keys = match read(&path) {
            Ok(text) => {
                parse(&text).map_err(|line| KeysError::Corrupt { path: path.clone(), line })
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(KeysError::Disk { path: path.clone(), source }),
        }?;
        let mut ring = Self { path, keys };
        ring.renew(now)?;
        Ok(ring)
    }

    /// Makes a new key where it is due, and erases those that are too old. Says whether anything
    /// changed.
    pub fn renew(&mut self, now: u64) -> Result<bool, KeysError> {
        let replaced_at: Vec<u64> = self.keys.iter().skip(1).map(|key| key.made_at).collect();
        let before = self.keys.len();
        let mut replaced = replaced_at.into_iter();
        self.keys.retain(|_| {
            replaced.next().is_none_or(|at| now < at.saturating_add(LONGEST_MS + SLACK_MS))
        });
        let due = self.keys.last().is_none_or(|key| now >= key.made_at.saturating_add(RENEW_MS));
        if due {
            self.keys.push(Key { made_at: now, identity: Identity::generate() });
        }
        let changed = due || self.keys.len() != before;
        if changed {
            self.store().map_err(|source| KeysError::Disk { path: self.path.clone(), source })?;
        }
        Ok(changed)
    }

    /// What others seal to now.
    pub fn public(&self) -> String {
        self.keys.last().map_or_else(String::new, |key| key.identity.to_public().to_string())
    }

    /// The key behind a public one, while it is kept.
    pub fn find(&self, public: &str) -> Option<&Identity> {
        let fits = |key: &&Key| key.identity.to_public().to_string() == public;
        self.keys.iter().rev().find(fits).map(|key| &key.identity)
    }

    fn store(&self) -> io::Result<()> {
        let mut text =
            String::from("# Potluck's sealing keys. Whoever has them can open your letters.\n");
        for Key { made_at, identity } in &self.keys {
            let made_at =
                i64::try_from(*made_at).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
            text += &format!("{CREATED}{}\n", made_at.unwrap_or_default());
            text += identity.to_string().expose_secret();
            text.push('\n');
        }
        private::replace(&self.path, text.as_bytes())
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keyring").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Whether a text is a key that can be sealed to.
pub fn is_public(text: &str) -> bool {
    Recipient::from_str(text).is_ok()
}

fn read(path: &Path) -> io::Result<String> {
    let file = fs::File::open(path)?;
    if private::open_to_others(&file.metadata()?).is_some() {
        private::close(path)?;
        tracing::warn!(file = %path.display(), "the sealing keys could be read by other users; they are private now, but somebody may have a copy");
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    Ok(text)
}

/// The keys, or the number of the line that is wrong.
fn parse(text: &str) -> Result<Vec<Key>, usize> {
    let mut keys = Vec::new();
    let mut made_at = None;
    for (line, number) in text.lines().zip(1_usize..) {
        if let Some(time) = line.strip_prefix(CREATED) {
            let time: Timestamp = time.trim().parse().map_err(|_| number)?;
            made_at = Some(u64::try_from(time.as_millisecond()).map_err(|_| number)?);
        } else if !line.trim().is_empty() && !line.starts_with('#') {
            let identity = Identity::from_str(line.trim()).map_err(|_| number)?;
            let made_at = made_at.take().ok_or(number)?;
            keys.push(Key { made_at, identity });
        }
    }
    if keys.is_empty() { Err(1) } else { Ok(keys) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_790_000_000_000;

    #[test]
    fn keys_are_renewed_and_erased_when_no_letter_can_wait_for_them() {
        let folder = tempfile::tempdir().unwrap();
        let mut ring = Keyring::open(folder.path(), NOW).unwrap();
        let first = ring.public();
        assert!(is_public(&first) && !is_public("age1nonsense"));
        assert_eq!(Keyring::open(folder.path(), NOW + RENEW_MS - 1).unwrap().public(), first);
        assert!(ring.renew(NOW + RENEW_MS).unwrap());
        let second = ring.public();
        assert_ne!(first, second);
        let kept_until = NOW + RENEW_MS + LONGEST_MS + SLACK_MS;
        for (now, kept) in [(kept_until - 1, true), (kept_until, false)] {
            let ring = Keyring::open(folder.path(), now).unwrap();
            assert_eq!(ring.find(&first).is_some(), kept);
            assert!(ring.find(&second).is_some());
        }
        let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
        assert_eq!(text.matches("AGE-SECRET-KEY-1").count(), 1, "the second alone");
    }

    #[test]
    fn the_file_is_private_and_a_broken_one_is_said_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        Keyring::open(folder.path(), NOW).unwrap();
        let path = folder.path().join(FILE);
        assert_eq!(private::open_to_others(&fs::metadata(&path).unwrap()), None);
        let good = fs::read_to_string(&path).unwrap();
        for bad in ["", "hello\n", &good.replace("AGE-", "EGA-"), &good.replace("created", "made")]
        {
            fs::write(&path, bad).unwrap();
            let error = Keyring::open(folder.path(), NOW).unwrap_err();
            assert!(matches!(error, KeysError::Corrupt { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), bad);
        }
    }
}
