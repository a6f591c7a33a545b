//! Pictures of calls, decoded within the process's budget for pixels. Who waits for room holds no core, so that
//! small pictures, and everything else, go on meanwhile.

use potluck_models::{ModelError, Picture, PictureError, PixelBudget, decode_in, needed};

use crate::{
    protocol::{Fault, FaultKind},
    say::Say as _,
    service::{Context, Data},
};

/// Decodes the picture and does the work with it, on the CPU pool.
///
/// # Errors
/// [`fault`] of what is wrong with the picture, and what `work` says.
pub(super) async fn with_picture<T, F>(cx: &Context, input: Data, work: F) -> Result<T, Fault>
where
    F: FnOnce(Picture) -> Result<T, Fault> + Send + 'static,
    T: Send + 'static,
{
    let file = input.clone();
    let at_once = cx
        .blocking(move || {
            let bytes = file.read()?;
            let needed = needed(&bytes).map_err(|e| fault(&e))?;
            let Some(room) = PixelBudget::of_process().try_room(needed).map_err(|e| fault(&e))?
            else {
                return Ok(Err((needed, work)));
            };
            let picture = decode_in(&bytes, room).map_err(|e| fault(&e))?;
            // The file is not needed any more, and may be large.
            drop(bytes);
            work(picture).map(Ok)
        })
        .await?;
    let (needed, work) = match at_once {
        Ok(done) => return Ok(done),
        Err(later) => later,
    };
    let cancelled = cx.cancelled().clone();
    let room = cx
        .waiting(move || {
            let room = PixelBudget::of_process().room(needed, &|| cancelled.is_cancelled());
            room.map_err(|e| fault(&e))
        })
        .await?;
    cx.blocking(move || {
        let picture = decode_in(&input.read()?, room).map_err(|e| fault(&e))?;
        work(picture)
    })
    .await
}

/// What the caller is told.
pub(super) fn fault(error: &PictureError) -> Fault {
    let kind = match error {
        PictureError::TooMuchMemory { .. } => FaultKind::TooLarge,
        PictureError::GivenUp => FaultKind::Cancelled,
        _ => FaultKind::BadInput,
    };
    Fault::new(kind, error.reason())
}

/// What the caller is told of a model that failed.
pub(super) fn model_fault(error: &ModelError) -> Fault {
    let kind = if error.is_caller_error() { FaultKind::BadInput } else { FaultKind::Internal };
    Fault::new(kind, error.reason())
}
