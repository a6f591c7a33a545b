//! Notices of the desktop, for mail that comes while nobody looks at the window.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use notify_rust::{Notification, Timeout};
use tokio::sync::oneshot;

/// How long a notice may stand before nobody listens to it any more.
const STANDS: Duration = Duration::from_secs(60);
/// How many stand at once: each waits on a thread of its own, and some desktops never answer.
const MOST: usize = 4;

static STANDING: AtomicUsize = AtomicUsize::new(0);

/// Shows a notice and says whether it was pressed. A desktop that shows none is no error: the window
/// tells the same.
pub async fn notice(title: String, text: String, open: String) -> bool {
    let Some(place) = Place::take() else { return false };
    let (pressed, hear) = oneshot::channel();
    let waiting = std::thread::Builder::new().name("notice".to_owned()).spawn(move || {
        let _place = place;
        let _ = pressed.send(show(&title, &text, &open));
    });
    if waiting.is_err() {
        return false;
    }
    matches!(tokio::time::timeout(STANDS, hear).await, Ok(Ok(true)))
}

fn show(title: &str, text: &str, open: &str) -> bool {
    let mut notice = Notification::new();
    notice.appname("Potluck").summary(title).body(&plain(text)).icon("potluck");
    notice.timeout(Timeout::Milliseconds(10_000));
    #[cfg(all(unix, not(target_os = "macos")))]
    {
        let shown = notice.action("default", open).show();
        let mut pressed = false;
        match shown {
            Ok(handle) => handle.wait_for_action(|action| pressed = action == "default"),
            Err(error) => tracing::debug!(%error, "the desktop shows no notice"),
        }
        pressed
    }
    #[cfg(not(all(unix, not(target_os = "macos"))))]
    {
        let _ = open;
        if let Err(error) = notice.show() {
            tracing::debug!(%error, "the desktop shows no notice");
        }
        false
    }
}

/// The body of a notice is markup on many desktops (Desktop Notifications Specification, "Markup"):
/// what somebody wrote is shown as it was written.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A place among those that stand.
struct Place;

impl Place {
    fn take() -> Option<Self> {
        let free = |standing: usize| (standing < MOST).then_some(standing + 1);
        STANDING.try_update(Ordering::AcqRel, Ordering::Acquire, free).ok().map(|_| Self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        STANDING.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_wrote_is_no_markup() {
        assert_eq!(plain("<b>1 & 2</b>"), "&lt;b&gt;1 &amp; 2&lt;/b&gt;");
    }

    #[test]
    fn so_many_stand_and_no_more() {
        let places: Vec<_> = std::iter::from_fn(Place::take).collect();
        assert_eq!(places.len(), MOST);
        drop(places);
        assert!(Place::take().is_some());
    }
}
