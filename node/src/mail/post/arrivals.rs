//! Letters whose bodies are arriving: they count as if they were here, so that many at once do not
//! take more room than each of them alone was given.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::super::envelope::{Envelope, EnvelopeId};

/// All that are arriving. Cheap to clone; all clones are the same.
#[derive(Clone, Default)]
pub(in super::super) struct Arrivals(Arc<Mutex<BTreeMap<EnvelopeId, Arrival>>>);

/// One that is.
#[derive(Clone)]
pub(in super::super) struct Arrival {
    /// What its envelope says.
    pub(in super::super) outside: Envelope,
    /// What it comes for.
    pub(super) purpose: Purpose,
    /// How many bring it at this moment.
    holders: usize,
}

/// What a letter comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For this node's person, from somebody whom they know.
    Known,
    /// For this node's person, from a stranger.
    Stranger,
    /// To be kept for somebody.
    Keep,
}

/// Counts a letter while it arrives.
pub(super) struct Arriving {
    all: Arrivals,
    id: EnvelopeId,
}

impl Arrivals {
    /// Counts a letter from now on, if `fits` finds room for it beside what else is arriving. One that
    /// another holder brings already needs none.
    pub(super) fn add<E>(
        &self,
        envelope: &Envelope,
        purpose: Purpose,
        fits: impl FnOnce(&mut dyn Iterator<Item = &Arrival>) -> Result<(), E>,
    ) -> Result<Arriving, E> {
        let mut all = self.lock();
        if !all.contains_key(&envelope.id) {
            fits(&mut all.values().filter(|one| one.purpose == purpose))?;
        }
        let arrival = all.entry(envelope.id).or_insert_with(|| Arrival {
            outside: envelope.clone(),
            purpose,
            holders: 0,
        });
        arrival.holders += 1;
        Ok(Arriving { all: self.clone(), id: envelope.id })
    }

    /// Letters to this node's person that are arriving.
    pub(in super::super) fn to_person(&self) -> Vec<Envelope> {
        let all = self.lock();
        let own = all.values().filter(|one| one.purpose != Purpose::Keep);
        own.map(|one| one.outside.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EnvelopeId, Arrival>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(arrival) = all.get_mut(&self.id) {
            arrival.holders -= 1;
            if arrival.holders == 0 {
                all.remove(&self.id);
            }
        }
    }
}
