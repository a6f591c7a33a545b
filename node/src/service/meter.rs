//! How much each peer has had of each capability: at once, over a minute, on a day.
//!
//! Policy: no IO, no clock, no lock of its own. `access` adds them, and keeps the counts of the day on
//! the disk.

use std::collections::{BTreeMap, HashMap};

use libp2p::PeerId;
use serde::{Deserialize, Serialize};

use crate::{
    config::PeerLimits,
    quota::{Limit, Quota},
};

/// Peers whose calls of a day are remembered, of one capability; who made the fewest is forgotten first.
const MAX_PEERS: usize = 4096;
/// Milliseconds in a minute.
const MINUTE: f64 = 60_000.0;
/// Seconds in a day.
const DAY: u64 = 86_400;

/// Why a call is too much.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Over {
    /// As many calls as may be there at once are.
    #[error("as many of your calls as may be here at once are; wait for one of them to end")]
    Crowded,
    /// The calls of this minute are used up.
    #[error("your calls of this minute are used up; come back in {retry_after_ms} ms")]
    TooFast {
        /// When there is one more, in milliseconds.
        retry_after_ms: u64,
    },
    /// The calls of today are used up.
    #[error(
        "its owner gives you {per_day} calls a day, and today's are used up; the next ones are on {renews} (UTC)"
    )]
    UsedUp {
        /// How many there are a day.
        per_day: u32,
        /// The next day, as `2026-11-25`, in UTC.
        renews: String,
    },
}

/// What a call took, to be given back in part.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// One of those at once.
    at_once: bool,
    /// One of that day, and how many changes the counts had seen then.
    today: Option<(String, u64)>,
}

/// What has been had so far.
#[derive(Debug, Default)]
pub struct Meter {
    limits: HashMap<String, PeerLimits>,
    gauges: HashMap<String, Gauge>,
    days: Days,
    /// Changes of `days` since the start.
    changes: u64,
}

/// The calls of a day, as they are kept over restarts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Days {
    /// UTC, as `2026-11-24`.
    day: String,
    /// By capability and client id.
    calls: BTreeMap<String, BTreeMap<String, u32>>,
}

/// What one capability's limits count.
#[derive(Debug)]
struct Gauge {
    at_once: Quota<PeerId>,
    per_minute: Quota<PeerId>,
}

impl Meter {
    /// Other limits from now on; what was counted stays.
    pub fn change(&mut self, limits: HashMap<String, PeerLimits>) {
        for (capability, limits) in &limits {
            let (at_once, per_minute) = limits_of(limits);
            match self.gauges.get_mut(capability) {
                Some(gauge) => {
                    gauge.at_once.change(at_once);
                    gauge.per_minute.change(per_minute);
                }
                None => {
                    let quota = |each| Quota::new(Limit::NONE, each);
                    let gauge = Gauge { at_once: quota(at_once), per_minute: quota(per_minute) };
                    self.gauges.insert(capability.clone(), gauge);
                }
            }
        }
        // What runs of a capability without a limit gives nothing back.
        self.gauges.retain(|capability, _| limits.contains_key(capability));
        self.limits = limits;
    }

    /// Goes on from what was counted before a restart.
    pub fn resume(&mut self, mut days: Days) {
        for peers in days.calls.values_mut() {
            while peers.len() > MAX_PEERS {
                forget_one(peers);
            }
        }
        self.days = days;
    }

    /// Counts a call of a peer at `now` (milliseconds since 1970), or says what of it is too much.
    pub fn take(&mut self, who: &PeerId, capability: &str, now: u64) -> Result<Taken, Over> {
        let Some(limits) = self.limits.get(capability) else { return Ok(Taken::default()) };
        let Some(gauge) = self.gauges.get_mut(capability) else { return Ok(Taken::default()) };
        if let Some(per_day) = limits.per_day {
            self.days.begin(day(now / 1000));
            if self.days.of(who, capability) >= per_day {
                let renews = day((now / 1000).saturating_add(DAY));
                return Err(Over::UsedUp { per_day, renews });
            }
        }
        let at_once = limits.at_once.is_some();
        if at_once && !gauge.at_once.take(who, 1, now) {
            return Err(Over::Crowded);
        }
        if limits.per_minute.is_some() && !gauge.per_minute.take(who, 1, now) {
            if at_once {
                gauge.at_once.give_back(who, 1);
            }
            return Err(Over::TooFast { retry_after_ms: gauge.per_minute.wait_ms(who, 1, now) });
        }
        let today = limits.per_day.map(|_| {
            self.days.add(who, capability);
            self.changes += 1;
            (self.days.day.clone(), self.changes)
        });
        Ok(Taken { at_once, today })
    }

    /// A call is over. One that never ran is none of its day.
    pub fn give_back(&mut self, who: &PeerId, capability: &str, taken: Taken, ran: bool) {
        if taken.at_once
            && let Some(gauge) = self.gauges.get_mut(capability)
        {
            gauge.at_once.give_back(who, 1);
        }
        if let Some((day, _)) = taken.today
            && !ran
            && day == self.days.day
        {
            self.days.take_back(who, capability);
            self.changes += 1;
        }
    }

    /// The counts to keep, and how many changes they have seen.
    pub fn to_keep(&self) -> (Days, u64) {
        (self.days.clone(), self.changes)
    }
}

impl Taken {
    /// How many changes have to be on the disk before the call may run; none, where its day does not
    /// count.
    pub fn kept_by(&self) -> Option<u64> {
        self.today.as_ref().map(|(_, changes)| *changes)
    }
}

impl Days {
    /// Days are written so that they sort. A clock that was put back starts no second day.
    fn begin(&mut self, today: String) {
        if self.day < today {
            *self = Self { day: today, calls: BTreeMap::new() };
        }
    }

    fn of(&self, who: &PeerId, capability: &str) -> u32 {
        let peers = self.calls.get(capability);
        peers.and_then(|peers| peers.get(&who.to_string())).copied().unwrap_or(0)
    }

    fn add(&mut self, who: &PeerId, capability: &str) {
        let peers = self.calls.entry(capability.to_owned()).or_default();
        let who = who.to_string();
        if peers.len() >= MAX_PEERS && !peers.contains_key(&who) {
            forget_one(peers);
        }
        let calls = peers.entry(who).or_default();
        *calls = calls.saturating_add(1);
    }

    fn take_back(&mut self, who: &PeerId, capability: &str) {
        if let Some(calls) =
            self.calls.get_mut(capability).and_then(|it| it.get_mut(&who.to_string()))
        {
            *calls = calls.saturating_sub(1);
        }
    }
}

/// The day of a second since 1970, in UTC, as `2026-11-24`.
pub(crate) fn day(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let day = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::MAX);
    day.strftime("%F").to_string()
}

fn limits_of(limits: &PeerLimits) -> (Limit, Limit) {
    let at_once = limits.at_once.map_or(Limit::NONE, |most| Limit::at_once(most.into()));
    let per_minute = limits
        .per_minute
        .map_or(Limit::NONE, |most| Limit::rate(most.into(), 1000.0 * f64::from(most) / MINUTE));
    (at_once, per_minute)
}

fn forget_one(peers: &mut BTreeMap<String, u32>) {
    let least = peers.iter().min_by_key(|(_, calls)| **calls).map(|(who, _)| who.clone());
    if let Some(who) = least {
        peers.remove(&who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::tests::peer;

    /// 2026-11-24 23:59:50 UTC, in milliseconds; from `date -u -d '2026-11-24 23:59:50' +%s`.
    const LATE: u64 = 1_795_564_790_000;

    fn meter(at_once: Option<u32>, per_minute: Option<u32>, per_day: Option<u32>) -> Meter {
        let mut meter = Meter::default();
        meter.change(limits(at_once, per_minute, per_day));
        meter
    }

    fn limits(
        at_once: Option<u32>,
        per_minute: Option<u32>,
        per_day: Option<u32>,
    ) -> HashMap<String, PeerLimits> {
        HashMap::from([("chat/1".to_owned(), PeerLimits { at_once, per_minute, per_day })])
    }

    fn fast(retry_after_ms: u64) -> Result<(), Over> {
        Err(Over::TooFast { retry_after_ms })
    }

    fn used_up(per_day: u32, renews: &str) -> Result<(), Over> {
        Err(Over::UsedUp { per_day, renews: renews.to_owned() })
    }

    #[test]
    fn each_limit_counts_on_its_own() {
        const CROWDED: Result<(), Over> = Err(Over::Crowded);
        // What is allowed; then calls: who, milliseconds after `LATE`, how it ends.
        let table = [
            // Two at once, and none of them ends.
            (
                (Some(2), None, None),
                vec![
                    (2, 0, Ok(())),
                    (2, 0, Ok(())),
                    (2, 0, CROWDED),
                    (3, 0, Ok(())),
                    (2, 3_600_000, CROWDED),
                ],
            ),
            // Three a minute: three at a stroke, then one every 20 s.
            (
                (None, Some(3), None),
                vec![
                    (2, 0, Ok(())),
                    (2, 0, Ok(())),
                    (2, 0, Ok(())),
                    (2, 0, fast(20_000)),
                    (2, 15_000, fast(5_000)),
                    (3, 15_000, Ok(())),
                    (2, 20_000, Ok(())),
                    (2, 20_000, fast(20_000)),
                ],
            ),
            // Two a day, which ends after 10 s. A clock that is put back brings no second day.
            (
                (None, None, Some(2)),
                vec![
                    (2, 0, Ok(())),
                    (2, 1, Ok(())),
                    (2, 9_999, used_up(2, "2026-11-25")),
                    (3, 9_999, Ok(())),
                    (2, 10_000, Ok(())),
                    (2, 0, Ok(())),
                    (2, 10_001, used_up(2, "2026-11-26")),
                ],
            ),
            // All of them; what is refused for one reason costs nothing of the others.
            ((Some(1), Some(2), Some(9)), vec![(2, 0, Ok(())), (2, 0, CROWDED), (2, 0, CROWDED)]),
            ((None, None, None), vec![(2, 0, Ok(())), (2, 0, Ok(()))]),
            ((Some(1), None, Some(0)), vec![(2, 0, used_up(0, "2026-11-25"))]),
        ];
        for (row, ((at_once, per_minute, per_day), calls)) in table.into_iter().enumerate() {
            let mut meter = meter(at_once, per_minute, per_day);
            for (at, (who, after, expected)) in calls.into_iter().enumerate() {
                let took = meter.take(&peer(who), "chat/1", LATE + after).map(drop);
                assert_eq!(took, expected, "row {row}, call {at}");
                assert_eq!(meter.take(&peer(who), "faces/1", LATE).map(drop), Ok(()), "no limit");
            }
        }
    }

    #[test]
    fn what_ends_makes_room_and_what_never_ran_is_none_of_its_day() {
        let mut meter = meter(Some(1), Some(10), Some(3));
        for ran in [true, false, false, true] {
            let taken = meter.take(&peer(2), "chat/1", LATE).unwrap();
            assert!(taken.kept_by().is_some());
            assert_eq!(meter.take(&peer(2), "chat/1", LATE), Err(Over::Crowded));
            meter.give_back(&peer(2), "chat/1", taken, ran);
        }
        let third = meter.take(&peer(2), "chat/1", LATE).unwrap();
        meter.give_back(&peer(2), "chat/1", third, true);
        assert_eq!(meter.take(&peer(2), "chat/1", LATE).map(drop), used_up(3, "2026-11-25"));
        // A call of yesterday that never ran gives today nothing.
        let mut meter = meter_of_one_day();
        let old = meter.take(&peer(2), "chat/1", LATE).unwrap();
        meter.take(&peer(2), "chat/1", LATE + 10_000).unwrap();
        meter.give_back(&peer(2), "chat/1", old, false);
        assert_eq!(
            meter.take(&peer(2), "chat/1", LATE + 10_000).map(drop),
            used_up(1, "2026-11-26")
        );
    }

    fn meter_of_one_day() -> Meter {
        meter(None, None, Some(1))
    }

    #[test]
    fn limits_change_and_what_was_counted_stays() {
        let mut meter = meter(Some(2), Some(2), Some(5));
        let first = meter.take(&peer(2), "chat/1", LATE).unwrap();
        let second = meter.take(&peer(2), "chat/1", LATE).unwrap();
        meter.change(limits(Some(3), Some(30), Some(5)));
        let third = meter.take(&peer(2), "chat/1", LATE).unwrap();
        assert_eq!(meter.take(&peer(2), "chat/1", LATE), Err(Over::Crowded));
        meter.change(limits(Some(1), None, Some(3)));
        for taken in [first, second] {
            meter.give_back(&peer(2), "chat/1", taken, true);
        }
        assert_eq!(meter.take(&peer(2), "chat/1", LATE).map(drop), used_up(3, "2026-11-25"));
        // Nothing is owed by what began before a limit was there.
        meter.change(HashMap::new());
        let free = meter.take(&peer(2), "chat/1", LATE).unwrap();
        meter.change(limits(Some(1), None, None));
        meter.give_back(&peer(2), "chat/1", free, true);
        meter.give_back(&peer(2), "chat/1", third, true);
        assert!(meter.take(&peer(2), "chat/1", LATE).is_ok());
        assert_eq!(meter.take(&peer(2), "chat/1", LATE), Err(Over::Crowded));
    }

    #[test]
    fn a_restart_goes_on_counting_and_the_count_is_bounded() {
        let mut before = meter(None, None, Some(2));
        before.take(&peer(2), "chat/1", LATE).unwrap();
        before.take(&peer(2), "chat/1", LATE).unwrap();
        let kept = serde_json::to_string(&before.to_keep().0).unwrap();
        assert_eq!(
            kept,
            format!("{{\"day\":\"2026-11-24\",\"calls\":{{\"chat/1\":{{\"{}\":2}}}}}}", peer(2))
        );
        let mut after = meter(None, None, Some(2));
        after.resume(serde_json::from_str(&kept).unwrap());
        let take = |meter: &mut Meter, who| meter.take(&who, "chat/1", LATE).map(drop);
        assert_eq!(take(&mut after, peer(2)), used_up(2, "2026-11-25"));
        assert_eq!(after.take(&peer(2), "chat/1", LATE + 10_000).map(drop), Ok(()));
        // Any number of strangers make it no longer than this, and who asked most stays counted.
        let mut crowd = meter(None, None, Some(2));
        for _ in 0..2 {
            take(&mut crowd, peer(2)).unwrap();
        }
        for _ in 0..MAX_PEERS + 100 {
            take(&mut crowd, PeerId::random()).unwrap();
        }
        assert_eq!(crowd.to_keep().0.calls["chat/1"].len(), MAX_PEERS);
        assert_eq!(take(&mut crowd, peer(2)), used_up(2, "2026-11-25"));
    }
}
