//! Where bytes come from: a file, or a pipe that is kept aside because it may be read twice.
//! gzip and zstd are recognised by their first bytes and decompressed while they stream.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ReadOptions, io};
use crate::{AnalysisError, Watch, wrong};

/// Bytes that are looked at before anything is decided.
pub(super) const SAMPLE: usize = 256 << 10;
/// A pipe of more bytes goes to a temporary file.
const PIPE_IN_MEMORY: usize = 16 << 20;
/// Bytes of a pipe that are taken at once.
const STEP: u64 = 1 << 20;
/// What zstd says of a frame that wants a window of more than 128 MB.
const WINDOW: &str = "requires too much memory";

/// What is read.
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Anything else, read once from its start to its end.
    Stream(Box<dyn Read + Send>),
}

/// An input that can be read from its start as often as needed, one reader at a time.
pub(super) struct Input<'a> {
    kept: Kept,
    /// Asked whenever more of the content is read.
    pub watch: &'a dyn Watch,
    /// Bytes of the longest content, decompressed.
    pub limit: u64,
    /// Name for the report.
    pub name: String,
    /// Bytes before decompression.
    pub size: u64,
    /// Of these so many were read by the newest reader.
    pub done: Arc<AtomicU64>,
}

enum Kept {
    Path(PathBuf),
    Spooled(File),
    Memory(Arc<[u8]>),
}

impl<'a> Input<'a> {
    pub fn open(
        source: Source,
        options: &ReadOptions,
        watch: &'a dyn Watch,
    ) -> Result<Self, AnalysisError> {
        let (kept, size, name) = match source {
            Source::File(path) => {
                let about = std::fs::metadata(&path).map_err(io(opening(&path)))?;
                if about.is_dir() {
                    return Err(AnalysisError::BadInput(wrong::folder(&path)));
                }
                let name = path.file_name().unwrap_or(path.as_os_str());
                let name = name.to_string_lossy().into_owned();
                if about.is_file() {
                    (Kept::Path(path), about.len(), name)
                } else {
                    // A named pipe can be opened only once.
                    let pipe = File::open(&path).map_err(io(opening(&path)))?;
                    let (kept, size) = spool(Box::new(pipe), options, watch)?;
                    (kept, size, name)
                }
            }
            Source::Stream(stream) => {
                let (kept, size) = spool(stream, options, watch)?;
                (kept, size, "-".to_owned())
            }
        };
        let name = options.name.clone().unwrap_or(name);
        let limit = options.max_content;
        Ok(Self { kept, watch, limit, name, size, done: Arc::default() })
    }

    /// The content from its start, decompressed.
    pub fn reader(&self) -> Result<Box<dyn Read + Send + '_>, AnalysisError> {
        self.done.store(0, Ordering::Relaxed);
        let mut start = Vec::new();
        let mut raw = self.raw()?;
        raw.by_ref().take(4).read_to_end(&mut start).map_err(io("reading the input"))?;
        let whole = Cursor::new(start.clone()).chain(raw);
        Ok(match start.as_slice() {
            [0x1f, 0x8b, 8, ..] => Box::new(Members::new(BufReader::with_capacity(1 << 18, whole))),
            [0x28, 0xb5, 0x2f, 0xfd] => {
                let decoder = zstd::stream::read::Decoder::new(whole);
                Box::new(decoder.map_err(io("decompressing the input"))?)
            }
            _ => Box::new(whole),
        })
    }

    /// The first bytes, decompressed.
    pub fn sample(&self) -> Result<Vec<u8>, AnalysisError> {
        let mut sample = Vec::new();
        let limit = SAMPLE as u64;
        self.reader()?.take(limit).read_to_end(&mut sample).map_err(broken)?;
        Ok(sample)
    }

    fn raw(&self) -> Result<Counted<'_>, AnalysisError> {
        let inner: Box<dyn Read + Send + '_> = match &self.kept {
            Kept::Path(path) => Box::new(File::open(path).map_err(io(opening(path)))?),
            Kept::Spooled(file) => {
                let mut file = file;
                file.seek(SeekFrom::Start(0)).map_err(io("reading a temporary file"))?;
                Box::new(file)
            }
            Kept::Memory(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        };
        Ok(Counted { inner, done: Arc::clone(&self.done) })
    }
}

/// What reading says of an input that breaks off.
pub(super) fn broken(error: std::io::Error) -> AnalysisError {
    let said = error.to_string();
    match error.kind() {
        _ if said.contains(WINDOW) => AnalysisError::BadInput(wrong::zstd_window()),
        std::io::ErrorKind::UnexpectedEof
        | std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::Other => AnalysisError::BadInput(wrong::packed_damaged(said)),
        _ => io("reading the input")(error),
    }
}

fn opening(path: &std::path::Path) -> String {
    format!("opening {}", path.display())
}

/// Keeps a pipe aside: in memory when it is small, else in an unnamed temporary file.
fn spool(
    mut stream: Box<dyn Read + Send>,
    options: &ReadOptions,
    watch: &dyn Watch,
) -> Result<(Kept, u64), AnalysisError> {
    let mut bytes = Vec::new();
    while bytes.len() < PIPE_IN_MEMORY {
        watch.check()?;
        let step = stream.by_ref().take(STEP).read_to_end(&mut bytes);
        if step.map_err(io("reading the pipe"))? == 0 {
            let size = bytes.len() as u64;
            return Ok((Kept::Memory(bytes.into()), size));
        }
    }
    let mut file = super::spill::unnamed(options.temp_dir.as_deref())
        .map_err(io("making a temporary file"))?;
    let mut size = 0;
    loop {
        file.write_all(&bytes).map_err(io("writing a temporary file"))?;
        size += bytes.len() as u64;
        bytes.clear();
        watch.check()?;
        let step = stream.by_ref().take(STEP).read_to_end(&mut bytes);
        if step.map_err(io("reading the pipe"))? == 0 {
            return Ok((Kept::Spooled(file), size));
        }
    }
}

/// Counts what is read, for progress.
struct Counted<'a> {
    inner: Box<dyn Read + Send + 'a>,
    done: Arc<AtomicU64>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// The members of a gzip file one after the other. Zeros after the last one are no content: tape
/// drives and some uploads fill a block with them.
struct Members<R: BufRead> {
    /// None only while it is taken for the next member.
    member: Option<flate2::bufread::GzDecoder<R>>,
    over: bool,
}

impl<R: BufRead> Members<R> {
    fn new(raw: R) -> Self {
        Self { member: Some(flate2::bufread::GzDecoder::new(raw)), over: false }
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while !self.over && !buffer.is_empty() {
            let Some(member) = &mut self.member else { break };
            let count = member.read(buffer)?;
            if count > 0 {
                return Ok(count);
            }
            let Some(mut raw) = self.member.take().map(flate2::bufread::GzDecoder::into_inner)
            else {
                break;
            };
            self.over = !skip_zeros(&mut raw)?;
            self.member = Some(flate2::bufread::GzDecoder::new(raw));
        }
        Ok(0)
    }
}

/// Goes to the first byte that is not zero; false when there is none.
fn skip_zeros(raw: &mut impl BufRead) -> std::io::Result<bool> {
    loop {
        let bytes = raw.fill_buf()?;
        if bytes.is_empty() {
            return Ok(false);
        }
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let more = zeros < bytes.len();
        raw.consume(zeros);
        if more {
            return Ok(true);
        }
    }
}
