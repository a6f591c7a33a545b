//! Where bytes come from: a file, or a pipe that is kept aside because it may be read twice.
//! gzip and zstd are recognised by their first bytes and decompressed while they stream.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::convert::{self, Given};
use super::{ReadOptions, io};
use crate::{AnalysisError, Watch, wrong};

/// Bytes that are looked at before anything is decided.
pub(super) const SAMPLE: usize = 256 << 10;
/// What is kept aside of more bytes goes to a temporary file.
const IN_MEMORY: usize = 16 << 20;
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
    /// What is known of a file that is a table but no text; its content is CSV by now.
    pub given: Option<Given>,
}

/// Where the content lies.
pub(super) enum Kept {
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
        let mut input = Self { kept, watch, limit, name, size, done: Arc::default(), given: None };
        convert::convert(&mut input, options)?;
        Ok(input)
    }

    /// Takes the content as CSV for what is read from now on.
    pub fn become_csv(&mut self, (kept, size): (Kept, u64), given: Given) {
        (self.kept, self.size, self.given) = (kept, size, Some(given));
    }

    /// The content, decompressed, in which one can go forth and back.
    pub fn seekable(&self, options: &ReadOptions) -> Result<Seekable, AnalysisError> {
        let mut start = [0; 4];
        let packed = self.raw()?.read(&mut start).is_ok_and(|n| n == 4) && is_packed(&start);
        if packed {
            return Ok(match spool(self.reader()?, options, self.watch)?.0 {
                Kept::Spooled(file) => Seekable::File(file),
                Kept::Memory(bytes) => Seekable::Memory(Cursor::new(bytes)),
                Kept::Path(_) => return Err(broken(std::io::ErrorKind::InvalidInput.into())),
            });
        }
        Ok(match &self.kept {
            Kept::Path(path) => Seekable::File(File::open(path).map_err(io(opening(path)))?),
            Kept::Spooled(file) => {
                Seekable::File(file.try_clone().map_err(io("reading a temporary file"))?)
            }
            Kept::Memory(bytes) => Seekable::Memory(Cursor::new(Arc::clone(bytes))),
        })
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

/// Whether this begins a content that is decompressed while it is read.
fn is_packed(start: &[u8]) -> bool {
    matches!(start, [0x1f, 0x8b, 8, ..] | [0x28, 0xb5, 0x2f, 0xfd])
}

/// A content in which one can go forth and back.
pub(super) enum Seekable {
    File(File),
    Memory(Cursor<Arc<[u8]>>),
}

impl Read for Seekable {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.read(buffer),
            Self::Memory(bytes) => bytes.read(buffer),
        }
    }
}

impl Seek for Seekable {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Self::File(file) => file.seek(to),
            Self::Memory(bytes) => bytes.seek(to),
        }
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
    mut stream: Box<dyn Read + Send + '_>,
    options: &ReadOptions,
    watch: &dyn Watch,
) -> Result<(Kept, u64), AnalysisError> {
    let mut spool = Spool::new(options);
    let mut bytes = Vec::new();
    loop {
        watch.check()?;
        bytes.clear();
        let step = stream.by_ref().take(STEP).read_to_end(&mut bytes);
        if step.map_err(io("reading the pipe"))? == 0 {
            return Ok(spool.kept());
        }
        spool.write_all(&bytes).map_err(io("writing a temporary file"))?;
    }
}

/// Bytes that are kept aside: in memory while they are few, else in an unnamed temporary file.
pub(super) struct Spool {
    bytes: Vec<u8>,
    file: Option<File>,
    folder: Option<PathBuf>,
    size: u64,
}

impl Spool {
    pub fn new(options: &ReadOptions) -> Self {
        Self { bytes: Vec::new(), file: None, folder: options.temp_dir.clone(), size: 0 }
    }

    /// How many there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// All of them, to be read.
    pub fn kept(self) -> (Kept, u64) {
        let kept = match self.file {
            Some(file) => Kept::Spooled(file),
            None => Kept::Memory(self.bytes.into()),
        };
        (kept, self.size)
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.size += bytes.len() as u64;
        if let Some(file) = &mut self.file {
            return file.write_all(bytes).map(|()| bytes.len());
        }
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > IN_MEMORY {
            let mut file = super::spill::unnamed(self.folder.as_deref())?;
            file.write_all(&std::mem::take(&mut self.bytes))?;
            self.file = Some(file);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
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
