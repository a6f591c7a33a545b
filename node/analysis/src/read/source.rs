//! Where bytes come from: a file, or a pipe that is kept aside because it may be read twice.
//! gzip and zstd are recognised by their first bytes and decompressed while they stream.

use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{ReadOptions, io};
use crate::{AnalysisError, Watch};

/// Bytes that are looked at before anything is decided.
pub(super) const SAMPLE: usize = 256 << 10;
/// A pipe of more bytes goes to a temporary file.
const PIPE_IN_MEMORY: usize = 16 << 20;
/// Bytes of a pipe that are taken at once.
const STEP: u64 = 1 << 20;

/// What is read.
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Anything else, read once from its start to its end.
    Stream(Box<dyn Read + Send>),
}

/// An input that can be read from its start as often as needed, one reader at a time.
pub(super) struct Input {
    kept: Kept,
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

impl Input {
    pub fn open(
        source: Source,
        options: &ReadOptions,
        watch: &dyn Watch,
    ) -> Result<Self, AnalysisError> {
        let (kept, size, name) = match source {
            Source::File(path) => {
                let about = std::fs::metadata(&path).map_err(io(opening(&path)))?;
                if about.is_dir() {
                    let text = format!("{} is a folder; name a CSV file", path.display());
                    return Err(AnalysisError::BadInput(text));
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
        Ok(Self { kept, name, size, done: Arc::default() })
    }

    /// The content from its start, decompressed.
    pub fn reader(&self) -> Result<Box<dyn Read + Send + '_>, AnalysisError> {
        self.done.store(0, Ordering::Relaxed);
        let mut start = Vec::new();
        let mut raw = self.raw()?;
        raw.by_ref().take(4).read_to_end(&mut start).map_err(io("reading the input"))?;
        let whole = Cursor::new(start.clone()).chain(raw);
        Ok(match start.as_slice() {
            [0x1f, 0x8b, 8, ..] => Box::new(flate2::read::MultiGzDecoder::new(
                std::io::BufReader::with_capacity(1 << 18, whole),
            )),
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
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof
        | std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::Other => AnalysisError::BadInput(format!(
            "the compressed input is damaged or breaks off ({error}); make it again"
        )),
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
