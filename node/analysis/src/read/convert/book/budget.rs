//! What the files in a workbook unpack to, before anybody keeps it: a small file can say that it is
//! terabytes.

use std::io::{BufRead, BufReader};

use crate::read::convert::damaged;
use crate::read::records::RECORD;
use crate::read::source::Seekable;
use crate::read::{ReadOptions, size};
use crate::{AnalysisError, Watch, wrong};

/// From so many bytes on, nothing may be packed better than to one in so many: XML of sheets is at
/// 10 to 40.
const SMALL: u64 = 64 << 20;
const PACKED: u64 = 300;
/// Files in a workbook.
const FILES: usize = 20_000;

/// Unpacks everything once, and keeps nothing. What is held in memory later (the texts of an .xlsx) has
/// to fit there, and so does each single value.
pub(super) fn check(
    file: &mut Seekable,
    watch: &dyn Watch,
    options: &ReadOptions,
) -> Result<(), AnalysisError> {
    let mut zip = zip::ZipArchive::new(file).map_err(damaged)?;
    if zip.len() > FILES {
        return Err(damaged("it has too many files in it"));
    }
    let (mut all, mut kept) = (0, 0);
    for at in 0..zip.len() {
        let entry = match zip.by_index(at) {
            Ok(entry) => entry,
            Err(zip::result::ZipError::UnsupportedArchive(why))
                if why == zip::result::ZipError::PASSWORD_REQUIRED =>
            {
                return Err(AnalysisError::BadInput(wrong::encrypted()));
            }
            Err(error) => return Err(damaged(error)),
        };
        let name = entry.name().to_lowercase();
        if !(name.ends_with(".xml") || name.ends_with(".rels")) {
            continue;
        }
        let packed = entry.compressed_size();
        let streamed = name.contains("/worksheets/") || name == "content.xml";
        let mut reader = BufReader::with_capacity(1 << 18, entry);
        let (mut here, mut value) = (0_u64, 0_usize);
        loop {
            watch.check()?;
            let bytes = reader.fill_buf().map_err(damaged)?;
            if bytes.is_empty() {
                break;
            }
            match (memchr::memchr(b'<', bytes), memchr::memrchr(b'<', bytes)) {
                (Some(first), Some(last)) if value + first <= RECORD => value = bytes.len() - last,
                (Some(_), _) => value = RECORD + 1,
                _ => value += bytes.len(),
            }
            let count = bytes.len();
            reader.consume(count);
            here += count as u64;
            all += count as u64;
            kept += if streamed { 0 } else { count as u64 };
            if value > RECORD || (here > SMALL && here / packed.max(1) > PACKED) {
                return Err(AnalysisError::BadInput(wrong::bomb(size(all))));
            }
            if all > options.max_content {
                let limit = size(options.max_content);
                return Err(AnalysisError::BadInput(wrong::too_much_text(limit)));
            }
            if kept > options.memory {
                let limit = size(options.memory);
                return Err(AnalysisError::BadInput(wrong::many_texts(limit)));
            }
        }
    }
    Ok(())
}
