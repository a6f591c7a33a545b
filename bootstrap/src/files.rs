//! Every connection is an open file, and systems allow few to begin with.

/// Raises the limit of open files to what the system allows this user.
#[cfg(unix)]
pub fn allow_many() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    #[expect(unsafe_code, reason = "the standard library has no word for it")]
    // SAFETY: both calls get a valid pointer to a struct of ours and keep none.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            // Where it is refused, the old limit stands.
            let _ = libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
        }
    }
}

/// There is no such limit.
#[cfg(not(unix))]
pub fn allow_many() {}
