//! Where annotated copies go: never onto a picture that was named.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
};

use super::{Failure, wrong};

/// The copy of each picture, named by what is marked on it, such as `faces`. What cannot be written is said before
/// anybody is asked.
pub(super) fn targets(
    images: &[PathBuf],
    out: Option<&Path>,
    what: &str,
) -> Result<Vec<Option<PathBuf>>, Failure> {
    let Some(out) = out else { return Ok(vec![None; images.len()]) };
    let inputs: HashSet<PathBuf> =
        images.iter().filter_map(|file| std::fs::canonicalize(file).ok()).collect();
    if !out.is_dir() {
        match ending(out).as_deref() {
            Some("jpg" | "jpeg" | "png") => return one(images, out, &inputs),
            Some(other @ ("webp" | "gif" | "bmp" | "tif" | "tiff" | "heic" | "avif")) => {
                return Err(Failure::usage(wrong::copy_ending(other)));
            }
            _ => {}
        }
    }
    std::fs::create_dir_all(out).and_then(|()| probe(out)).map_err(|e| unwritable(out, &e))?;
    let folder = std::fs::canonicalize(out).map_err(|e| unwritable(out, &e))?;
    let mut taken = HashSet::new();
    let name = |file: &PathBuf| {
        let stem = file.file_stem().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let mut name = format!("{stem}-{what}.jpg");
        let mut number = 2;
        while inputs.contains(&folder.join(&name)) || !taken.insert(name.clone()) {
            name = format!("{stem}-{what}-{number}.jpg");
            number += 1;
        }
        Some(out.join(name))
    };
    Ok(images.iter().map(name).collect())
}

/// A file for the only picture.
fn one(
    images: &[PathBuf],
    out: &Path,
    inputs: &HashSet<PathBuf>,
) -> Result<Vec<Option<PathBuf>>, Failure> {
    if images.len() > 1 {
        return Err(Failure::usage(wrong::several_pictures()));
    }
    if std::fs::canonicalize(out).is_ok_and(|out| inputs.contains(&out)) {
        return Err(Failure::usage(wrong::picture_itself(out)));
    }
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    probe(folder.unwrap_or(Path::new("."))).map_err(|e| unwritable(out, &e))?;
    Ok(vec![Some(out.to_owned())])
}

fn ending(path: &Path) -> Option<String> {
    path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase())
}

fn probe(folder: &Path) -> io::Result<()> {
    tempfile::tempfile_in(folder).map(drop)
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(wrong::unwritable_out(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_go_onto_no_picture_and_onto_no_other_copy() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("sub")).expect("made");
        for name in ["a.jpg", "a-faces.jpg", "sub/a.png", "b.png"] {
            std::fs::write(at(name), "a picture").expect("written");
        }
        let all = [at("a.jpg"), at("a-faces.jpg"), at("sub/a.png"), at("b.png")];
        let found = targets(&all, Some(folder.path()), "faces").expect("targets");
        let names = ["a-faces-2.jpg", "a-faces-faces.jpg", "a-faces-3.jpg", "b-faces.jpg"];
        assert_eq!(found, names.map(|name| Some(at(name))));

        let one = [at("a.jpg")];
        let fails =
            |images: &[PathBuf], out: &str| targets(images, Some(&at(out)), "faces").is_err();
        assert!(fails(&one, "a.jpg") && fails(&one, "sub/../a.jpg"), "the picture itself");
        assert!(fails(&all, "copy.jpg"), "one file for several pictures");
        assert!(fails(&one, "copy.webp") && !at("copy.webp").exists());
        assert!(fails(&one, "none/copy.jpg"), "no such folder");
        assert_eq!(
            targets(&one, Some(&at("c.png")), "faces").expect("a target"),
            [Some(at("c.png"))]
        );
        assert_eq!(targets(&one, Some(&at("new")), "faces").expect("a target").len(), 1);
        assert!(at("new").is_dir());
    }
}
