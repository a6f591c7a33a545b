//! The private mesh of the node: what a person of the window does about it.

use std::path::PathBuf;

use potluck::{
    membership::{Entered, Invited, Place, PlaceError, Standing, Terms},
    say::{Reason, Say as _},
};

use super::Backend;

/// What was done, or why it was not.
type Done<T> = Result<T, Reason>;

impl Backend {
    /// In which mesh the node is, and who belongs to it.
    pub async fn standing(self) -> Done<Standing> {
        said(self.place().await?.standing().await)
    }

    /// Founds a private mesh; the node starts again in it.
    pub async fn found(self, name: String) -> Done<Entered> {
        said(self.place().await?.create(name.trim()).await)
    }

    /// Enters a private mesh by an invite; the node starts again in it.
    pub async fn enter(self, invite: String) -> Done<Entered> {
        said(self.place().await?.join(&invite).await)
    }

    /// Makes an invite for so many nodes and so many ms, or for this one alone, also where it was put out.
    pub async fn invite(self, uses: u32, for_ms: u64, again: Option<String>) -> Done<Invited> {
        let again = again.map(|id| id.parse().map_err(no_id)).transpose()?;
        let terms = Terms { uses, for_ms, again, ..Terms::default() };
        said(self.place().await?.invite(terms).await)
    }

    /// Takes back all invites that are open; says how many there were.
    pub async fn take_invites_back(self) -> Done<usize> {
        said(self.place().await?.take_back().await)
    }

    /// Puts a member out, for ever.
    pub async fn put_out(self, id: String) -> Done<()> {
        let place = self.place().await?;
        said(place.revoke(id.parse().map_err(no_id)?).await).map(drop)
    }

    /// Makes a member an admin.
    pub async fn make_admin(self, id: String) -> Done<()> {
        let place = self.place().await?;
        said(place.promote(id.parse().map_err(no_id)?).await)
    }

    /// Leaves the private mesh; the node starts again in the open one. Gives the name of what it left.
    pub async fn quit(self, forget_key: bool) -> Done<String> {
        said(self.place().await?.leave(forget_key).await)
    }

    /// Writes the founder's key to a new file, and keeps it there alone where it is to be removed here.
    pub async fn export_key(self, file: PathBuf, remove: bool) -> Done<PathBuf> {
        // A name alone is in the folder in which the window was opened: it is told where that is.
        let file = std::path::absolute(file).map_err(|error| error.reason())?;
        said(self.place().await?.export(file.clone(), remove).await)?;
        Ok(file)
    }

    /// Brings the founder's key back from a file; the node starts again in its mesh.
    pub async fn restore_key(self, file: PathBuf) -> Done<Entered> {
        said(self.place().await?.restore(file).await)
    }

    /// The data folder. The handle on the node goes: one that is to start again waits until nobody uses it.
    async fn place(self) -> Done<Place> {
        let folder = self.data_dir.to_path_buf();
        drop(self);
        said(Place::open(Some(folder)).await)
    }
}

fn said<T>(result: Result<T, PlaceError>) -> Done<T> {
    result.map_err(|error| error.reason())
}

fn no_id(error: impl std::fmt::Display) -> Reason {
    error.to_string().into()
}
