//! The parts of which screens are made. Screens put these together and name no colours, sizes or
//! fonts of their own.

mod button;
mod cut;
mod focus;
mod list;
mod overlay;
mod parts;
mod picks;
mod place;
mod qr;
mod rise;

pub use button::{Button, Kind, button, icon_button, pressable};
pub use cut::cut;
pub use focus::{focusable, inert};
pub use list::{Window, list, scroll};
pub use overlay::{DIALOG_FOCUS, Dialog, Toast, ToastId, Toasts, dialog, over, overlaid};
pub use parts::{
    avatar, badge, bar, card, count, drop_field, empty, field, head_row, hr, key, note, row_of,
    tile, tip,
};
pub use picks::{pick, segment, switch, tabs};
pub use place::{PLACE, Place};
pub use qr::qr;
pub use rise::rise;
