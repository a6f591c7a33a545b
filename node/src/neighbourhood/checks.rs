//! Whether a peer still lives: suspicion, looking after it, and word of losses.

use libp2p::PeerId;

use super::{
    Effect, Neighbourhood, SOUGHT_MS, TICK_MS,
    dialing::MAX_COMPANY,
    peer::{Check, Peer, Watch},
    pulse,
};
use crate::{
    directory::Doubts,
    protocol::{Loss, SignedLoss},
};

/// How long the result of a look after a peer may take before it is looked after again, in ms.
pub(super) const VERIFY_MS: u64 = 15_000;
/// How often a peer is looked after before silence means loss.
const VERIFY_TRIES: u8 = 2;
/// A peer of which hearsay was wrong is not looked after on hearsay for this long, in ms.
pub(super) const PROVED_MS: u64 = 5_000;
/// Directories up to this size look after hearsay at once; larger ones spread the dials.
const SMALL: usize = 32;
/// Time by which each node more spreads the dials that follow one word, and the most, in ms. Short,
/// because the word goes on only behind the dial.
const SPREAD_MS: u64 = 2;
pub(super) const MAX_SPREAD_MS: u64 = 500;
/// Rumours of one loss that wait for the result; further ones are dropped.
const MAX_TOKENS: usize = 4;
/// How long a peer that can only come to us has to come back before it counts as lost, in ms.
const RETURN_MS: u64 = 15_000;
/// Time between two looks at all neighbours, in ms.
const LOOK_AROUND_MS: u64 = 4_000;
/// What a wrong word costs its witness, in words.
const WRONG: u64 = 8;

impl Neighbourhood {
    /// A pulse was answered.
    pub(super) fn on_beat(&mut self, peer: PeerId, rtt_ms: f32, now: u64, out: &mut Vec<Effect>) {
        if let Some(link) = self.peers.get_mut(&peer).and_then(Peer::link_mut) {
            link.rtt_ms = Some(rtt_ms);
            self.alive(peer, now, out);
        }
    }

    /// Our pulse got no answer over a connection.
    pub(super) fn on_silent(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let Some(link) = known.link_mut() else { return };
        link.watch = Watch::Off;
        known.check.get_or_insert_default().witness = true;
        if known.vouched_at.is_some_and(|at| now < at + pulse::PATIENCE_MS) {
            // It spoke after the beat: one that hung for a while, perhaps.
            return self.look_again(peer, now, out);
        }
        self.check_failed(peer, now, out);
        out.push(Effect::Close(peer));
        self.look_around(now, out);
    }

    /// Where one neighbour fell silent over a connection that stood, a cable may be out: one beat to
    /// each of the others shows who else is gone, which nobody watches perhaps.
    fn look_around(&mut self, now: u64, out: &mut Vec<Effect>) {
        if now < self.looked_around_at + LOOK_AROUND_MS {
            return;
        }
        self.looked_around_at = now;
        let unwatched = |peer: &Peer| {
            peer.check.is_none() && peer.link().is_some_and(|link| link.watch != Watch::On)
        };
        let others: Vec<_> =
            self.peers.iter().filter(|(_, peer)| unwatched(peer)).map(|(id, _)| *id).collect();
        for peer in others {
            self.suspect(peer, Check { at: now, ..Check::default() }, now, out);
        }
    }

    /// A neighbour left a request unanswered: one beat shows whether it is still there.
    pub(super) fn on_unanswered(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        if self.peers.get(&peer).is_some_and(Peer::connected) {
            self.suspect(peer, Check { at: now, ..Check::default() }, now, out);
        }
    }

    /// The peer answers, over a connection or by saying that it is full.
    pub(super) fn alive(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.suspect_since = None;
        let Some(check) = known.check.take() else { return };
        known.proved_at = Some(now);
        judge(&check, false, out);
        if let Some(witness) = check.proof.as_ref().and_then(|proof| proof.verify().ok()?.witness())
        {
            // Who is often wrong is not heard for a while.
            self.limits.witnesses.charge(&witness, WRONG, now);
        }
    }

    /// A new advert of a peer arrived: it lived a moment ago, so nobody need look.
    pub(super) fn vouched(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        known.vouched_at = Some(now);
        if let Some(check) = known.check.take() {
            judge(&check, false, out);
        }
        // That we could not reach it stays our own knowledge until a dial works.
        if !known.backoff.failing() || known.connected() {
            known.suspect_since = None;
        }
    }

    /// A connection ended that nobody had announced: the peer is looked after at once.
    pub(super) fn witness(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let pause = if self.addresses_of(&peer).is_empty() { RETURN_MS } else { 0 };
        let check = Check { at: now + pause, witness: true, ..Check::default() };
        self.suspect(peer, check, now, out);
    }

    /// Looks after a peer of the directory, not before `check.at`.
    fn suspect(&mut self, peer: PeerId, check: Check, now: u64, out: &mut Vec<Effect>) {
        if self.directory.get(&peer).is_none() {
            return judge(&check, false, out);
        }
        let known = self.peers.entry(peer).or_default();
        if !known.connected() {
            known.suspect_since.get_or_insert(now);
        }
        let Some(running) = &mut known.check else {
            known.check = Some(check);
            return self.look_if_due(peer, now, out);
        };
        running.witness |= check.witness;
        running.lacked |= check.lacked;
        running.proof = running.proof.take().or(check.proof);
        for token in check.tokens {
            if running.tokens.len() < MAX_TOKENS {
                running.tokens.push(token);
            } else {
                out.push(Effect::Judge { token, forward: false });
            }
        }
        if running.tries == 0 {
            running.at = running.at.min(check.at);
            self.look_if_due(peer, now, out);
        }
    }

    fn look_if_due(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let (connected, dialled) = (known.connected(), known.dialled());
        let Some(check) = &mut known.check else { return };
        if check.at > now {
            return;
        }
        if !connected && !dialled && self.dials.len() >= MAX_COMPANY {
            // That there are too many dials is trouble of our own.
            check.at = now + TICK_MS;
            return;
        }
        (check.tries, check.at) = (check.tries + 1, now);
        if connected {
            out.push(Effect::Check(peer));
        } else {
            self.dial(peer, false, now, out);
        }
    }

    /// What was found is older than the last word of the peer.
    pub(super) fn look_again(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let Some(check) = self.peers.get_mut(&peer).and_then(|peer| peer.check.as_mut()) else {
            return;
        };
        (check.tries, check.at) = (0, now);
        self.look_if_due(peer, now, out);
    }

    /// Word of a loss, signed by who was connected to the peer.
    pub(super) fn on_loss(
        &mut self,
        loss: &Loss,
        proof: SignedLoss,
        from: PeerId,
        token: u64,
        now: u64,
        out: &mut Vec<Effect>,
    ) {
        let drop = Effect::Judge { token, forward: false };
        let (Some(peer), Some(witness)) = (loss.peer(), loss.witness()) else {
            return out.push(drop);
        };
        if peer == self.me {
            out.push(drop);
            let effects = self.directory.reported(loss.seq, now);
            return self.hand_on(effects, now, out);
        }
        let newer = |seq| loss.seq >= seq;
        let news = self.directory.get(&peer).is_some_and(|entry| newer(entry.advert.seq));
        // Who is not of this mesh watches nobody in it.
        let of_mesh = witness != peer && self.directory.get(&witness).is_some();
        let known = self.peers.get(&peer);
        let proved = known.and_then(|known| known.proved_at);
        let proved = proved.is_some_and(|at| now < at + PROVED_MS);
        let looked_after = known.is_some_and(|known| known.check.is_some());
        if !news || !of_mesh || proved {
            if of_mesh {
                // Found here in another way: those who missed the word are told by it.
                self.directory.corroborate(&peer, loss.seq, proof);
            }
            return out.push(drop);
        }
        // Another word of a loss that is looked into anyway costs nothing.
        if !looked_after
            && (!self.limits.bringers.take(&from, 1, now)
                || !self.limits.witnesses.take(&witness, 1, now))
        {
            return out.push(drop);
        }
        let connected = known.is_some_and(Peer::connected);
        let at = now + if connected { 0 } else { self.spread(&peer) };
        let proof = Some(proof);
        self.suspect(peer, Check { at, proof, tokens: vec![token], ..Check::default() }, now, out);
    }

    /// An exchange showed nodes of which one side is wrong.
    pub(super) fn on_doubts(&mut self, doubts: Doubts, now: u64, out: &mut Vec<Effect>) {
        for (peer, addresses) in doubts.buried {
            // Where it lives after all, it tells us so itself.
            if self.may_dial(&peer, now) && self.dials.len() < MAX_COMPANY {
                self.peers.entry(peer).or_default().remembered = addresses;
                self.dial(peer, false, now, out);
            }
        }
        for peer in doubts.lacked {
            let at = now + self.spread(&peer);
            self.suspect(peer, Check { at, lacked: true, ..Check::default() }, now, out);
        }
    }

    /// How long to wait before dialling a peer that was reported lost: in a large mesh the dials
    /// are spread, so that a node which was wrongly reported has time to say so.
    fn spread(&self, peer: &PeerId) -> u64 {
        if self.directory.len() <= SMALL {
            return 0;
        }
        let most = (self.directory.len() as u64 * SPREAD_MS).min(MAX_SPREAD_MS);
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.me.to_bytes());
        hasher.update(&peer.to_bytes());
        let [a, b, c, d, ..] = *hasher.finalize().as_bytes();
        u64::from(u32::from_le_bytes([a, b, c, d])) % most
    }

    /// A pulse or a dial failed.
    pub(super) fn check_failed(&mut self, peer: PeerId, now: u64, out: &mut Vec<Effect>) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let check = known.check.take().unwrap_or_default();
        let Some(entry) = self.directory.get(&peer) else {
            known.suspect_since = None;
            return judge(&check, false, out);
        };
        if !check.witness && !check.lacked && check.proof.is_none() {
            // Only we cannot reach it. If it does die, those who are connected to it say so.
            known.suspect_since.get_or_insert(now);
            return;
        }
        let seq = entry.advert.seq;
        known.suspect_since = None;
        if known.met_at.is_some() {
            known.remembered = entry.advert.multiaddrs();
            known.sought_until = now + SOUGHT_MS;
        }
        judge(&check, true, out);
        let effects = self.directory.lose(peer, check.proof, now);
        self.hand_on(effects, now, out);
        if check.witness {
            out.push(Effect::Testify { peer, seq });
        }
    }

    pub(super) fn tick_checks(&mut self, now: u64, out: &mut Vec<Effect>) {
        let due: Vec<_> = self
            .peers
            .iter()
            .filter_map(|(id, peer)| {
                let check = peer.check.as_ref()?;
                let due = if check.tries == 0 { check.at } else { check.at + VERIFY_MS };
                (now >= due).then_some((*id, check.tries))
            })
            .collect();
        for (peer, tries) in due {
            if tries >= VERIFY_TRIES {
                self.check_failed(peer, now, out);
                continue;
            }
            if let Some(check) = self.peers.get_mut(&peer).and_then(|peer| peer.check.as_mut()) {
                check.at = now;
            }
            self.look_if_due(peer, now, out);
        }
    }
}

fn judge(check: &Check, forward: bool, out: &mut Vec<Effect>) {
    for (n, token) in check.tokens.iter().enumerate() {
        // One word of a loss is enough.
        out.push(Effect::Judge { token: *token, forward: forward && n == 0 });
    }
}
