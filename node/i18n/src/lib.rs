//! What people read, in English and Simplified Chinese, for the command line and the window.
//!
//! The sentences stand in Fluent files, a folder a language. [`words!`](crate::words!) makes a
//! function of each, so that callers name a sentence and its values as they name any function:
//!
//! ```
//! mod chat {
//!     potluck_i18n::words! { "chat":
//!         send;
//!         files(count: usize);
//!     }
//! }
//! use potluck_i18n::Lang;
//! assert_eq!(chat::send(Lang::Zh), "发送");
//! assert_eq!(chat::files(Lang::En, 3), "3 files");
//! ```

mod book;
pub mod check;
mod files;
mod lang;
mod macros;

pub use book::{Arg, fill, has, text};
pub use files::{FILES, File, Reader};
pub use lang::{Lang, UnknownLang};
pub use macros::{Sentence, dashed};
