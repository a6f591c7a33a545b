//! A pass over the whole input: one thread cuts it into chunks, the others fill columns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;

use super::chunks::{Chunk, Chunks};
use super::column::{self, Block, Cut, Tally, Words};
use super::dialect::{Dialect, Sample};
use super::encoding::{self, Encoding, Shape};
use super::fill::{Filler, Worker, first_of, hints};
use super::infer::{self, ColumnPlan, Order, Plan, TOLERATED};
use super::layout::Layout;
use super::multiset::{self, Run, Texts};
use super::records;
use super::rows::{Hashes, Keys};
use super::source::Input;
use super::spill::Spill;
use super::{ReadOptions, io, time, word};
use crate::stats::READING_BYTES;
use crate::table::{BadRows, Format, MendedRows, Note, OpenDate, Table};
use crate::{AnalysisError, Stage, Watch, wrong};

/// Texts of a column that a second look at its kind takes.
const LOOK: usize = 1000;
/// Bytes of such a text that are looked at.
const LONG: usize = 500;
/// Rows that 32 bits can rank.
const MOST_ROWS: u64 = i32::MAX as u64;
/// Bytes of a multiset that is worth going to disk.
const WORTH: usize = 1 << 20;

/// What is read, and how.
pub(super) struct Setting<'a> {
    pub input: &'a Input<'a>,
    pub encoding: &'a Encoding,
    pub dialect: &'a Dialect,
    pub sample: &'a Sample,
    pub layout: &'a Layout,
    pub plans: &'a [ColumnPlan],
    pub options: &'a ReadOptions,
    pub spill: &'a Spill,
    pub watch: &'a dyn Watch,
}

/// What a pass comes to.
pub(super) enum Outcome<'a> {
    Read(Box<Pass<'a>>),
    /// The sample was wrong about the encoding.
    Encoding(Encoding),
}

/// Everything that was read, not merged yet.
pub(super) struct Pass<'a> {
    pool: rayon::ThreadPool,
    workers: Vec<Worker>,
    done: Vec<Done>,
    runs: Vec<Vec<Run>>,
    hashes: Hashes<'a>,
    first_line: u64,
    unclosed: Vec<(u64, u64)>,
    cut: u64,
    undecodable: u64,
    nuls: u64,
    footers: u64,
}

/// A chunk that was read.
struct Done {
    index: u64,
    lines: u64,
    rows: u64,
    block: Block,
}

/// What the threads share.
struct Shared<'s, 'a> {
    setting: &'s Setting<'a>,
    keys: Keys,
    workers: Vec<Mutex<Worker>>,
    done: Mutex<Vec<Done>>,
    runs: Mutex<Vec<Vec<Run>>>,
    hashes: Hashes<'a>,
    /// Bytes of numbers and times in memory.
    kept: AtomicU64,
    /// Rows that were filled.
    rows: AtomicU64,
    /// Bytes of multisets in memory, by thread.
    texts: Vec<AtomicU64>,
    stopped: AtomicBool,
    error: Mutex<Option<AnalysisError>>,
    /// The first chunk that is not of the guessed encoding.
    foreign: Mutex<Option<(u64, Vec<u8>)>>,
}

impl<'a> Setting<'a> {
    pub fn run(&self) -> Result<Outcome<'a>, AnalysisError> {
        let threads = self.options.threads.clamp(1, 64);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("read-{index}"))
            .build()
            .map_err(|error| io("starting threads")(std::io::Error::other(error)))?;
        let shared = Shared {
            setting: self,
            keys: Keys::random(),
            workers: (0..threads).map(|_| Mutex::new(Worker::new(self.plans.len()))).collect(),
            done: Mutex::default(),
            runs: Mutex::new(self.plans.iter().map(|_| Vec::new()).collect()),
            hashes: Hashes::new(self.spill, self.options.memory / 6),
            kept: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            texts: (0..threads).map(|_| AtomicU64::new(0)).collect(),
            stopped: AtomicBool::new(false),
            error: Mutex::default(),
            foreign: Mutex::default(),
        };
        let text = self.layout.text(self.sample, self.input, self.encoding)?;
        let chunks = Chunks::new(text, *self.dialect, self.options.chunk);
        let mut chunks = chunks.without_footers(self.layout.open_end(), self.layout.last);
        let first_line = chunks.skip(self.layout.skip)? + 1;
        let (unclosed, cut) = shared.feed(&pool, &mut chunks)?;
        if let Some(error) = lock(&shared.error).take() {
            return Err(error);
        }
        shared.check_rows()?;
        let workers: Vec<Worker> = shared.workers.into_iter().map(into_inner).collect();
        if let Some((_, foreign)) = into_inner(shared.foreign) {
            let wide = workers.iter().map(|worker| worker.shape.wide).sum();
            let broken = workers.iter().map(|worker| worker.shape.broken).sum();
            if !(Shape { wide, broken }).is_utf8() {
                return Ok(Outcome::Encoding(encoding::instead(&foreign)));
            }
        }
        let mut done = into_inner(shared.done);
        done.sort_by_key(|chunk| chunk.index);
        Ok(Outcome::Read(Box::new(Pass {
            pool,
            undecodable: chunks.text.undecodable
                + workers.iter().map(|worker| worker.undecodable).sum::<u64>(),
            nuls: chunks.text.nuls,
            footers: chunks.footers,
            workers,
            done,
            runs: into_inner(shared.runs),
            hashes: shared.hashes,
            first_line,
            unclosed,
            cut,
        })))
    }
}

impl Shared<'_, '_> {
    /// Cuts chunks and has them filled; gives chunks and lines of quotes that were never
    /// closed, and how many records were cut.
    fn feed(
        &self,
        pool: &rayon::ThreadPool,
        chunks: &mut Chunks,
    ) -> Result<(Vec<(u64, u64)>, u64), AnalysisError> {
        // Buffers go round: as many as there are, so many chunks are under way.
        let buffers = self.workers.len() * 2 + 1;
        let (give, take) = sync_channel(buffers);
        for _ in 0..buffers {
            give.send(Vec::new()).map_err(|_| stopped())?;
        }
        let mut unclosed = Vec::new();
        let mut cut = 0;
        pool.in_place_scope(|scope| {
            let mut chunk = Chunk::default();
            for index in 0.. {
                self.progress()?;
                chunk.bytes = next_buffer(&take)?;
                if self.stopped.load(Ordering::Relaxed) || !chunks.next(&mut chunk)? {
                    return Ok(());
                }
                cut += u64::from(chunk.cut);
                unclosed.extend(chunk.unclosed.drain(..).map(|line| (index, line)));
                let bytes = std::mem::take(&mut chunk.bytes);
                let give = give.clone();
                scope.spawn(move |_| self.fill(index, bytes, &give));
            }
            Ok(())
        })?;
        unclosed.sort_unstable();
        Ok((unclosed, cut))
    }

    fn progress(&self) -> Result<(), AnalysisError> {
        let Setting { input, watch, .. } = self.setting;
        watch.check()?;
        self.check_rows()?;
        let done = input.done.load(Ordering::Relaxed) as f32 / input.size.max(1) as f32;
        watch.stage(Stage::Reading, done.min(1.0) * 0.9);
        Ok(())
    }

    /// Refuses more rows than can be described, before they fill the disk and then the memory.
    fn check_rows(&self) -> Result<(), AnalysisError> {
        let memory = self.setting.options.memory;
        let rows = self.rows.load(Ordering::Relaxed);
        if rows > MOST_ROWS {
            return Err(AnalysisError::BadInput(wrong::too_many_rows(super::millions(MOST_ROWS))));
        }
        let limit = super::most_rows(memory);
        if rows > limit && self.setting.plans.iter().any(ColumnPlan::by_row) {
            let (most, memory) = (super::millions(limit), super::size(memory));
            return Err(AnalysisError::BadInput(wrong::too_many_for_memory(most, memory)));
        }
        Ok(())
    }

    /// Fills columns with a chunk, and gives its memory back.
    fn fill(&self, index: u64, bytes: Vec<u8>, give: &SyncSender<Vec<u8>>) {
        let mut bytes = Some(bytes);
        if !self.stopped.load(Ordering::Relaxed)
            && let Err(error) = self.try_fill(index, &mut bytes)
        {
            lock(&self.error).get_or_insert(error);
            self.stopped.store(true, Ordering::Relaxed);
        }
        // Nobody takes it when the pass was ended.
        let _ = give.try_send(bytes.unwrap_or_default());
    }

    fn try_fill(&self, index: u64, bytes: &mut Option<Vec<u8>>) -> Result<(), AnalysisError> {
        let Setting { dialect, encoding, .. } = self.setting;
        let thread = rayon::current_thread_index().unwrap_or(0) % self.workers.len();
        let mut worker = lock(&self.workers[thread]);
        let bytes_now = bytes.take().unwrap_or_default();
        if encoding.guessed && !bytes_now.is_ascii() {
            let shape = Shape::of(&bytes_now);
            worker.shape.wide += shape.wide;
            worker.shape.broken += shape.broken;
        }
        let text = match String::from_utf8(bytes_now) {
            Ok(text) => text,
            Err(broken) => {
                let broken = broken.into_bytes();
                let lost: usize = broken.utf8_chunks().map(|c| c.invalid().len()).sum();
                worker.undecodable += lost as u64;
                let text = String::from_utf8_lossy(&broken).into_owned();
                if encoding.guessed {
                    self.remember(index, broken);
                }
                text
            }
        };
        let mut filler = Filler::new(self.setting, &mut worker, self.keys, index);
        let lines = records::split(&text, **dialect, &mut filler);
        let (words, hashes) = (filler.words, filler.hashes);
        *bytes = Some(text.into_bytes());
        worker.rows = hashes.len();
        let rows = hashes.len() as u64;
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.hashes.add(hashes)?;
        let block = self.keep(rows, words)?;
        lock(&self.done).push(Done { index, lines, rows, block });
        self.relieve(thread, &mut worker)
    }

    /// Keeps the first chunk that is not UTF-8, to find out what it is.
    fn remember(&self, index: u64, broken: Vec<u8>) {
        let mut foreign = lock(&self.foreign);
        if foreign.as_ref().is_none_or(|(earlier, _)| index < *earlier) {
            *foreign = Some((index, broken));
        }
    }

    /// Keeps numbers and times in memory while there is room, then on disk.
    fn keep(&self, rows: u64, words: Vec<Words>) -> Result<Block, AnalysisError> {
        let words = words.into_iter().zip(self.setting.plans);
        let words: Vec<Words> =
            words.filter(|(_, plan)| plan.by_row()).map(|(words, _)| words).collect();
        let rows = rows as usize;
        let size = (words.len() * (rows * 8 + Block::HEAD)) as u64;
        if self.kept.fetch_add(size, Ordering::Relaxed) + size <= self.room() {
            return Ok(Block::new(rows, words, None));
        }
        self.kept.fetch_sub(size, Ordering::Relaxed);
        let mut bytes = Vec::with_capacity(size as usize);
        for word in words.iter().flat_map(|words| &words.bits) {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        let extent = self.setting.spill.write(&bytes)?;
        Ok(Block::new(rows, words, Some(extent)))
    }

    /// Bytes of numbers and times that may stay in memory: half of what is allowed, less when the
    /// rows that are to be expected need it later to be described.
    fn room(&self) -> u64 {
        let Setting { input, options, .. } = self.setting;
        let done = input.done.load(Ordering::Relaxed).max(1) as f64;
        let rows = self.rows.load(Ordering::Relaxed) as f64 * input.size as f64 / done;
        let later = (rows * READING_BYTES as f64) as u64;
        let free = options.memory.saturating_sub(later);
        free.clamp(options.memory / 8, options.memory / 2)
    }

    /// Moves the largest multisets of a thread to disk when all have grown too large.
    fn relieve(&self, thread: usize, worker: &mut Worker) -> Result<(), AnalysisError> {
        let sizes: Vec<usize> = worker.sets.iter().map(|set| set.bytes()).collect();
        let mut own: usize = sizes.iter().sum();
        // Merging copies the tables once.
        let limit = usize::try_from(self.setting.options.memory / 4).unwrap_or(usize::MAX);
        let share = limit / self.workers.len();
        self.texts[thread].store(own as u64, Ordering::Relaxed);
        let all: u64 = self.texts.iter().map(|own| own.load(Ordering::Relaxed)).sum();
        let heavy = all as usize > limit && own > share;
        if !heavy && !worker.sets.iter().any(|set| set.is_full()) {
            return Ok(());
        }
        let mut order: Vec<usize> = (0..sizes.len()).collect();
        order.sort_by_key(|column| std::cmp::Reverse(sizes[*column]));
        // Where there are many columns, none of them may be large while all of them are.
        let worth = WORTH.min(share / 4).min(share / (2 * sizes.len().max(1)));
        for column in order {
            let set = &mut worker.sets[column];
            let relieved = own <= share / 2 || sizes[column] < worth.max(1);
            if relieved && !set.is_full() {
                continue;
            }
            let run = set.spill(self.setting.spill)?;
            own -= sizes[column];
            lock(&self.runs)[column].push(run);
        }
        self.texts[thread].store(own as u64, Ordering::Relaxed);
        Ok(())
    }
}

impl Pass<'_> {
    /// Plans that fit better, when the sample was wrong.
    pub fn better_plans(
        &self,
        setting: &Setting,
    ) -> Result<Option<Vec<ColumnPlan>>, AnalysisError> {
        let rows: u64 = self.done.iter().map(|chunk| chunk.rows).sum();
        let continental = setting.layout.continental(setting.dialect);
        let mut plans = setting.plans.to_vec();
        for (column, plan) in plans.iter_mut().enumerate().filter(|(_, plan)| !plan.given) {
            let tally = self.tally(column);
            if let Some(better) = tally.better(*plan) {
                plan.failed = Some(plan.plan);
                plan.swapped = true;
                plan.plan = better;
                continue;
            }
            let there = rows.saturating_sub(tally.missing);
            let hinted = tally.hints > 0 && tally.hints as f64 >= there as f64 * (1.0 - TOLERATED);
            if plan.plan == Plan::Text && !plan.looked && !setting.layout.whole {
                plan.looked = true;
                let known = (plan.weak, hinted, continental);
                let found = self.second_look(column, setting, known)?;
                if !plan.excludes(found) {
                    plan.plan = found;
                }
            }
        }
        // Cells that prove an order may come after the sample.
        let same = plans.iter().zip(setting.plans).all(|(new, old)| new.plan == old.plan);
        if same {
            infer::settle(&mut plans, &self.orders(setting), setting.options.dates);
        }
        let changed = plans.iter().zip(setting.plans).any(|(new, old)| new.plan != old.plan);
        Ok(changed.then_some(plans))
    }

    /// What each column shows of the order of its days.
    fn orders(&self, setting: &Setting) -> Vec<Order> {
        let order = |(column, plan): (usize, &ColumnPlan)| match plan.plan {
            Plan::Time { .. } => self.tally(column).order(),
            _ => Order::default(),
        };
        setting.plans.iter().enumerate().map(order).collect()
    }

    fn tally(&self, column: usize) -> Tally {
        let mut tally = Tally::default();
        self.workers.iter().for_each(|worker| tally.add(&worker.tallies[column]));
        tally
    }

    /// The kind of a text column by all its texts where they are few, else by some of them: of a
    /// `weak` sample any, of a `hinted` column those that may be numbers or days. Whether enough
    /// of the cells are of that kind shows in the next pass.
    fn second_look(
        &self,
        column: usize,
        setting: &Setting,
        (weak, hinted, continental): (bool, bool, bool),
    ) -> Result<Plan, AnalysisError> {
        let sets = || self.workers.iter().map(|worker| &worker.sets[column]);
        let mut few = sets().all(|set| set.len() <= LOOK);
        if !(few || weak || hinted) {
            return Ok(Plan::Text);
        }
        // What is longer than any number is a text, whatever follows.
        let start = |text: &str| text[..text.floor_char_boundary(LONG)].to_owned();
        let mut seen = BTreeMap::<String, u64>::new();
        for set in sets() {
            for (text, count) in set.counts().step_by(set.len().div_ceil(LOOK).max(1)) {
                *seen.entry(start(text)).or_default() += count;
            }
        }
        for run in &self.runs[column] {
            if seen.len() > LOOK {
                break;
            }
            multiset::look(run, setting.spill, |text, count| {
                *seen.entry(start(text)).or_default() += count;
                seen.len() <= LOOK
            })?;
        }
        few &= seen.len() <= LOOK;
        if !(few || weak || hinted) {
            return Ok(Plan::Text);
        }
        seen.retain(|text, _| !word::missing(text));
        if few {
            // As often as they come, in proportion.
            let all: u64 = seen.values().sum();
            seen.values_mut().for_each(|count| *count = (*count * LOOK as u64 / all.max(1)).max(1));
        } else {
            seen.values_mut().for_each(|count| *count = 1);
            seen.retain(|text, _| !hinted || text.bytes().next().is_some_and(hints));
        }
        let texts: Vec<&str> = seen
            .iter()
            .flat_map(|(text, count)| std::iter::repeat_n(text.as_str(), *count as usize))
            .collect();
        Ok(infer::plan(&setting.layout.names[column], &texts, continental))
    }

    /// Merges everything.
    pub fn finish(mut self, setting: &Setting) -> Result<Table, AnalysisError> {
        let Setting { layout, watch, spill, .. } = setting;
        let rows = self.done.iter().map(|chunk| chunk.rows).sum();
        let mut starts = Vec::with_capacity(self.done.len());
        let mut line = self.first_line;
        for chunk in &self.done {
            starts.push(line);
            line += chunk.lines;
        }
        let first_line =
            |index: u64| usize::try_from(index).ok().and_then(|i| starts.get(i)).map_or(0, |l| *l);
        let count = self.workers.iter().map(|worker| worker.bad_count).sum();
        let bad = self.workers.iter_mut().map(|worker| std::mem::take(&mut worker.bad));
        let bad_rows = BadRows { count, first: first_of(bad, |row| &mut row.line, first_line) };
        let count = self.workers.iter().map(|worker| worker.mended_count).sum();
        let mended = self.workers.iter_mut().map(|worker| std::mem::take(&mut worker.mended));
        let mended = MendedRows { count, first: first_of(mended, |row| &mut row.line, first_line) };
        let notes = self.notes(first_line);
        let open = self.open_dates(setting);
        let tallies: Vec<Tally> = (0..setting.plans.len()).map(|c| self.tally(c)).collect();
        let mut parts: Vec<_> = self.runs.into_iter().map(|runs| (runs, vec![])).collect();
        for worker in self.workers {
            parts.iter_mut().zip(worker.sets).for_each(|(part, set)| part.1.push(set));
        }
        let blocks = Arc::new(self.done.into_iter().map(|chunk| chunk.block).collect::<Vec<_>>());
        let mut slots = 0..;
        let mut slot = |plan: &ColumnPlan| if plan.by_row() { slots.next() } else { None };
        let slots: Vec<_> = setting.plans.iter().map(|plan| slot(plan).unwrap_or(0)).collect();
        let hashes = self.hashes;
        let columns = || {
            parts
                .into_par_iter()
                .enumerate()
                .map(|(column, (runs, sets))| {
                    let texts = Texts::merge(sets, runs, spill, *watch)?;
                    let (name, plan) = (layout.names[column].clone(), setting.plans[column].plan);
                    let cut = Cut { blocks: Arc::clone(&blocks), slot: slots[column] };
                    column::finish(name, plan, &tallies[column], cut, texts, spill)
                })
                .collect::<Result<Vec<_>, AnalysisError>>()
        };
        let duplicates = || hashes.duplicates(*watch);
        let (columns, duplicate_rows) = self.pool.install(|| rayon::join(columns, duplicates));
        let (mut columns, duplicate_rows) = (columns?, duplicate_rows?);
        for (column, open) in columns.iter_mut().zip(open) {
            column.written.open_date = open;
        }
        Ok(Table {
            file: setting.input.name.clone(),
            encoding: setting.encoding.name.clone(),
            delimiter: char::from(setting.dialect.delimiter),
            format: Format::Text,
            sheet: None,
            rows,
            bad_rows,
            mended,
            duplicate_rows,
            columns,
            notes,
        })
    }

    /// A date of each column whose order of day and month nothing says.
    fn open_dates(&self, setting: &Setting) -> Vec<Option<OpenDate>> {
        let orders = self.orders(setting);
        let said = setting.options.dates.is_some();
        let proven = infer::proven(setting.plans, &orders).is_some();
        let date = |(column, order): (usize, &Order)| {
            let Plan::Time { day_first, .. } = setting.plans[column].plan else { return None };
            if said || proven || order.dotted || !order.is_open() {
                return None;
            }
            let cells = setting.layout.rows.iter().filter_map(|row| row.get(column));
            let both = |cell: &String| {
                let (day, month) = (time::parse(cell, true)?, time::parse(cell, false)?);
                let dates = (day.micros, month.micros);
                (dates.0 != dates.1).then(|| OpenDate { cell: cell.clone(), dates, day_first })
            };
            cells.into_iter().find_map(both)
        };
        orders.iter().enumerate().map(date).collect()
    }

    fn notes(&self, first_line: impl Fn(u64) -> u64) -> Vec<Note> {
        let mut notes = Vec::new();
        let cut = self.cut + self.workers.iter().map(|worker| worker.cut_fields).sum::<u64>();
        for (count, note) in [
            (self.undecodable, Note::Undecodable as fn(u64) -> Note),
            (self.nuls, Note::Nuls),
            (cut, Note::CutFields),
            (self.workers.iter().map(|worker| worker.empty_rows).sum(), Note::EmptyRows),
            (self.workers.iter().map(|worker| worker.comments).sum(), Note::Comments),
            (self.footers, Note::Footers),
        ] {
            if count > 0 {
                notes.push(note(count));
            }
        }
        if let Some((index, line)) = self.unclosed.first() {
            notes.push(Note::UnclosedQuote(first_line(*index) + line));
        }
        notes
    }
}

fn next_buffer(take: &Receiver<Vec<u8>>) -> Result<Vec<u8>, AnalysisError> {
    take.recv().map_err(|_| stopped())
}

fn stopped() -> AnalysisError {
    io("reading in several threads")(std::io::Error::other("one of them ended before the others"))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
