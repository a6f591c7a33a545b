//! Multisets of texts: each distinct text with how often it comes, exactly.
//!
//! Every thread fills its own; in the end they are merged. One that grows too large goes to
//! disk, cut by hash into parts, and each part is merged for itself (as a hash join does).

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Slot;
use rayon::prelude::*;

use super::spill::{Extent, Spill};
use crate::{AnalysisError, Watch};

const PARTS: usize = 64;
/// Below so many texts one thread merges faster than many.
const FEW: usize = 20_000;
/// Bytes that are worth a write.
const TOGETHER: usize = 256 << 10;
/// Bytes of an entry on disk before its text.
const HEAD: usize = 28;

/// What one thread has seen, in the order in which it came.
#[derive(Default)]
pub(super) struct Multiset {
    places: HashTable<Place>,
    entries: Vec<Entry>,
    texts: String,
}

/// Where in the entries a text is. Half of its hash lies beside it, so that hardly any other
/// entry has to be looked at.
#[derive(Clone, Copy)]
struct Place {
    half: u32,
    at: u32,
}

impl Place {
    fn new(hash: u64, at: usize) -> Self {
        Self { half: (hash >> 32) as u32, at: at as u32 }
    }

    fn hash(&self) -> u64 {
        spread(self.half)
    }
}

/// For a table: its index is in the low bits and its tags are in the high ones.
fn spread(half: u32) -> u64 {
    u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    count: u64,
    /// Where the text came first: chunk and row.
    first: u64,
    at: u32,
    len: u32,
}

/// Extents by part.
pub(super) type Run = Vec<Extent>;

impl Multiset {
    /// Counts a text that came at `place`.
    pub fn add(&mut self, hash: u64, text: &str, place: u64) {
        let Self { places, entries, texts } = self;
        let new = Place::new(hash, entries.len());
        let same = |place: &Place| {
            let entry = &entries[place.at as usize];
            place.half == new.half && entry.hash == hash && &texts[span(entry)] == text
        };
        match places.entry(new.hash(), same, Place::hash) {
            Slot::Occupied(slot) => {
                let entry = &mut entries[slot.get().at as usize];
                entry.count += 1;
                entry.first = entry.first.min(place);
            }
            Slot::Vacant(slot) => {
                slot.insert(new);
                let (at, len) = (texts.len() as u32, text.len() as u32);
                entries.push(Entry { hash, count: 1, first: place, at, len });
                texts.push_str(text);
            }
        }
    }

    /// Bytes that this takes.
    pub fn bytes(&self) -> usize {
        let entries = self.entries.capacity() * size_of::<Entry>();
        self.places.allocation_size() + entries + self.texts.capacity()
    }

    /// Whether places in it could overflow with one more chunk.
    pub fn is_full(&self) -> bool {
        self.texts.len() > (u32::MAX - (64 << 20)) as usize
    }

    /// How many distinct texts there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The texts with how often they come, in the order in which they came.
    pub fn counts(&self) -> impl Iterator<Item = (&str, u64)> {
        self.entries.iter().map(|entry| (&self.texts[span(entry)], entry.count))
    }

    /// Moves everything to disk.
    pub fn spill(&mut self, spill: &Spill) -> Result<Run, AnalysisError> {
        let Self { texts, mut entries, .. } = std::mem::take(self);
        entries.sort_unstable_by_key(|entry| part(entry.hash));
        let mut run = vec![Extent { at: 0, len: 0 }; PARTS];
        let (mut bytes, mut waiting) = (Vec::new(), Vec::new());
        for group in entries.chunk_by(|a, b| part(a.hash) == part(b.hash)) {
            let start = bytes.len() as u64;
            for entry in group {
                bytes.extend_from_slice(&entry.hash.to_le_bytes());
                bytes.extend_from_slice(&entry.count.to_le_bytes());
                bytes.extend_from_slice(&entry.first.to_le_bytes());
                bytes.extend_from_slice(&entry.len.to_le_bytes());
                bytes.extend_from_slice(texts[span(entry)].as_bytes());
            }
            let extent = Extent { at: start, len: bytes.len() as u64 - start };
            waiting.push((part(group[0].hash), extent));
            // Small parts are written together.
            if bytes.len() >= TOGETHER {
                settle(&mut run, &mut waiting, spill.write(&bytes)?);
                bytes.clear();
            }
        }
        if !bytes.is_empty() {
            settle(&mut run, &mut waiting, spill.write(&bytes)?);
        }
        Ok(run)
    }
}

/// Says where parts lie that were written together.
fn settle(run: &mut Run, waiting: &mut Vec<(usize, Extent)>, written: Extent) {
    for (part, extent) in waiting.drain(..) {
        run[part] = Extent { at: written.at + extent.at, ..extent };
    }
}

/// The texts of a run with how often they come, part by part until `more` says no. Parts are cut
/// by hash, so the first ones are a sample.
pub(super) fn look(
    run: &Run,
    spill: &Spill,
    mut more: impl FnMut(&str, u64) -> bool,
) -> Result<(), AnalysisError> {
    let mut bytes = Vec::new();
    for extent in run.iter().filter(|extent| extent.len > 0) {
        bytes.clear();
        spill.read(*extent, &mut bytes)?;
        if !Entries(&bytes).all(|entry| more(entry.text, entry.count)) {
            break;
        }
    }
    Ok(())
}

fn part(hash: u64) -> usize {
    // The bits between those that hash tables use.
    (hash >> 40) as usize % PARTS
}

fn span(entry: &Entry) -> std::ops::Range<usize> {
    let at = entry.at as usize;
    at..at + entry.len as usize
}

/// All texts of a column, merged; in memory, or on disk.
pub(super) enum Texts {
    Memory { arenas: Vec<String>, counts: Vec<Count> },
    Disk { extents: Vec<Extent>, distinct: u64, first: Vec<String>, spill: Spill },
}

/// A distinct text: where it lies, and how often it comes.
pub(super) struct Count {
    count: u64,
    arena: u32,
    at: u32,
    len: u32,
}

impl Texts {
    /// Merges what the threads have seen and what went to disk.
    pub fn merge(
        mut sets: Vec<Multiset>,
        mut runs: Vec<Run>,
        spill: &Spill,
        watch: &dyn Watch,
    ) -> Result<Self, AnalysisError> {
        watch.check()?;
        let texts: usize = sets.iter().map(|set| set.texts.len()).sum();
        if runs.is_empty() && texts < u32::MAX as usize {
            return Ok(in_memory(sets));
        }
        for set in &mut sets {
            runs.push(set.spill(spill)?);
        }
        drop(sets);
        let merged: Vec<Part> = (0..PARTS)
            .into_par_iter()
            .map(|part| {
                watch.check()?;
                merge_part(runs.iter().map(|run| run[part]), spill)
            })
            .collect::<Result<_, AnalysisError>>()?;
        let mut first: Vec<_> = merged.iter().flat_map(|p| p.first.iter().cloned()).collect();
        first.sort_unstable();
        first.truncate(FIRST);
        Ok(Self::Disk {
            extents: merged.iter().map(|p| p.extent).collect(),
            distinct: merged.iter().map(|p| p.distinct).sum(),
            first: first.into_iter().map(|(_, text)| text).collect(),
            spill: spill.clone(),
        })
    }

    /// Each text with how often it comes. In memory they are in the order in which they came
    /// first.
    pub fn each(&self, each: &mut dyn FnMut(&str, u64)) -> Result<(), AnalysisError> {
        match self {
            Self::Memory { arenas, counts } => {
                for count in counts {
                    each(text(arenas, count), count.count);
                }
            }
            Self::Disk { extents, spill, .. } => {
                let mut bytes = Vec::new();
                for extent in extents {
                    bytes.clear();
                    spill.read(*extent, &mut bytes)?;
                    for entry in Entries(&bytes) {
                        each(entry.text, entry.count);
                    }
                }
            }
        }
        Ok(())
    }

    pub fn distinct(&self) -> u64 {
        match self {
            Self::Memory { counts, .. } => counts.len() as u64,
            Self::Disk { distinct, .. } => *distinct,
        }
    }

    /// The first different ones, at most 5.
    pub fn first(&self) -> Vec<String> {
        match self {
            Self::Memory { arenas, counts } => {
                counts.iter().take(FIRST).map(|count| text(arenas, count).to_owned()).collect()
            }
            Self::Disk { first, .. } => first.clone(),
        }
    }
}

const FIRST: usize = 5;

fn text<'a>(arenas: &'a [String], count: &Count) -> &'a str {
    let at = count.at as usize;
    &arenas[count.arena as usize][at..at + count.len as usize]
}

/// Merges in memory. The sets stay where they are: what several of them have is left to the one
/// that saw it first.
fn in_memory(mut sets: Vec<Multiset>) -> Texts {
    let all: usize = sets.iter().map(|set| set.entries.len()).sum();
    let shards = if all < FEW { 1 } else { rayon::current_num_threads().max(1) * 2 };
    for set in &mut sets {
        set.places = HashTable::new();
        // A thread takes chunks in the order of the file, as a rule.
        if !set.entries.is_sorted_by_key(|entry| entry.first) {
            set.entries.sort_unstable_by_key(|entry| entry.first);
        }
    }
    let moves: Vec<Move> = match sets.len() {
        0 | 1 => Vec::new(),
        _ => (0..shards).into_par_iter().flat_map_iter(|s| repeated(&sets, s, shards)).collect(),
    };
    for Move { from, to } in moves {
        let count = std::mem::take(&mut sets[from.0 as usize].entries[from.1 as usize].count);
        sets[to.0 as usize].entries[to.1 as usize].count += count;
    }
    let mut counts = Vec::with_capacity(all);
    let mut lists: Vec<_> = sets.iter().map(|set| set.entries.iter().peekable()).collect();
    loop {
        let heads = lists.iter_mut().enumerate();
        let heads = heads.filter_map(|(arena, list)| Some((list.peek()?.first, arena)));
        let Some((_, arena)) = heads.min() else { break };
        let Some(entry) = lists[arena].next() else { break };
        if entry.count > 0 {
            let Entry { count, at, len, .. } = *entry;
            counts.push(Count { count, arena: arena as u32, at, len });
        }
    }
    drop(lists);
    counts.shrink_to_fit();
    let shrunk = |set: Multiset| {
        let mut texts = set.texts;
        texts.shrink_to_fit();
        texts
    };
    Texts::Memory { arenas: sets.into_iter().map(shrunk).collect(), counts }
}

/// The count of one entry belongs to another one; set and place in it.
struct Move {
    from: (u32, u32),
    to: (u32, u32),
}

/// The entries of one shard whose text another set saw first.
fn repeated(sets: &[Multiset], shard: usize, shards: usize) -> Vec<Move> {
    let all: usize = sets.iter().map(|set| set.entries.len()).sum();
    let entry = |(set, at): (u32, u32)| &sets[set as usize].entries[at as usize];
    let text = |(set, at): (u32, u32)| &sets[set as usize].texts[span(entry((set, at)))];
    let mut kept: HashTable<(u32, u32, u32)> = HashTable::with_capacity(all / shards);
    let mut moves = Vec::new();
    for (number, set) in sets.iter().enumerate() {
        for (at, new) in set.entries.iter().enumerate() {
            if part(new.hash) % shards != shard {
                continue;
            }
            let (half, here) = ((new.hash >> 32) as u32, (number as u32, at as u32));
            let same = |&(other, set, at): &(u32, u32, u32)| {
                other == half && entry((set, at)).hash == new.hash && text((set, at)) == text(here)
            };
            match kept.entry(spread(half), same, |&(half, ..)| spread(half)) {
                Slot::Occupied(mut slot) => {
                    let (_, set, at) = *slot.get();
                    let there = (set, at);
                    if new.first < entry(there).first {
                        *slot.get_mut() = (half, here.0, here.1);
                        moves.push(Move { from: there, to: here });
                    } else {
                        moves.push(Move { from: here, to: there });
                    }
                }
                Slot::Vacant(slot) => {
                    slot.insert((half, here.0, here.1));
                }
            }
        }
    }
    moves
}

/// One part, merged.
struct Part {
    extent: Extent,
    distinct: u64,
    first: Vec<(u64, String)>,
}

fn merge_part(extents: impl Iterator<Item = Extent>, spill: &Spill) -> Result<Part, AnalysisError> {
    let mut bytes = Vec::new();
    for extent in extents.filter(|extent| extent.len > 0) {
        spill.read(extent, &mut bytes)?;
    }
    let mut table: HashTable<OnDisk> = HashTable::new();
    for entry in Entries(&bytes) {
        match table.entry(entry.hash, |e| e.hash == entry.hash && e.text == entry.text, |e| e.hash)
        {
            Slot::Occupied(mut slot) => {
                let kept = slot.get_mut();
                kept.count += entry.count;
                kept.first = kept.first.min(entry.first);
            }
            Slot::Vacant(slot) => {
                slot.insert(entry);
            }
        }
    }
    let mut entries: Vec<OnDisk> = table.into_iter().collect();
    entries.sort_unstable_by_key(|entry| entry.first);
    let mut out = Vec::with_capacity(bytes.len());
    for entry in &entries {
        out.extend_from_slice(&entry.hash.to_le_bytes());
        out.extend_from_slice(&entry.count.to_le_bytes());
        out.extend_from_slice(&entry.first.to_le_bytes());
        out.extend_from_slice(&(entry.text.len() as u32).to_le_bytes());
        out.extend_from_slice(entry.text.as_bytes());
    }
    Ok(Part {
        extent: spill.write(&out)?,
        distinct: entries.len() as u64,
        first: entries.iter().take(FIRST).map(|e| (e.first, e.text.to_owned())).collect(),
    })
}

/// An entry as it stands in the file.
struct OnDisk<'a> {
    hash: u64,
    count: u64,
    first: u64,
    text: &'a str,
}

/// Entries one after the other.
struct Entries<'a>(&'a [u8]);

impl<'a> Iterator for Entries<'a> {
    type Item = OnDisk<'a>;

    fn next(&mut self) -> Option<OnDisk<'a>> {
        let (head, rest) = self.0.split_first_chunk::<HEAD>()?;
        let word = |at: usize| head[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        let len = head[24..].try_into().map_or(0, u32::from_le_bytes) as usize;
        let (text, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        let text = std::str::from_utf8(text).ok()?;
        Some(OnDisk { hash: word(0), count: word(8), first: word(16), text })
    }
}
