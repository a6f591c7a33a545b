//! QR codes: a short text that the camera of a phone reads off a screen.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around a code, without which a camera does not find it.
const QUIET: usize = 4;
/// The longest text, in bytes: the largest code holds so many.
pub const MAX_TEXT: usize = 2953;
/// Black on white whatever the theme of the terminal is: these two of its 256 colours are not themed.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const PLAIN: &str = "\x1b[0m";

/// Why there is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QrError {
    /// No code is large enough.
    #[error("{bytes} bytes are too much for a QR code, which holds {most}; copy the text instead")]
    TooLong {
        /// How long the text is.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
}

/// The code of a text for a terminal: lines of half blocks, two rows of modules each, readable on dark
/// and on light ground.
///
/// A terminal with 80 columns shows texts of up to 425 bytes.
pub fn text(content: &str) -> Result<String, QrError> {
    let rows = matrix(content)?;
    let line = |pair: &[Vec<bool>]| {
        let below = |column: usize| pair.get(1).is_some_and(|row| row[column]);
        let blocks =
            pair[0].iter().enumerate().map(|(column, above)| match (*above, below(column)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            });
        format!("{BLACK_ON_WHITE}{}{PLAIN}", blocks.collect::<String>())
    };
    Ok(rows.chunks(2).map(line).collect::<Vec<_>>().join("\n"))
}

/// The modules of the code of a text, row by row, `true` for dark. As many columns as rows; the light
/// edge around it is part of it.
pub fn matrix(content: &str) -> Result<Vec<Vec<bool>>, QrError> {
    // A screen is not torn or dirty: the least redundancy makes the fewest modules.
    let code = QrCode::with_error_correction_level(content, EcLevel::L)
        .map_err(|_| QrError::TooLong { bytes: content.len(), most: MAX_TEXT })?;
    let inner = code.width();
    let mut rows = vec![vec![false; inner + 2 * QUIET]; inner + 2 * QUIET];
    for (at, color) in code.to_colors().into_iter().enumerate() {
        rows[QUIET + at / inner][QUIET + at % inner] = color == Color::Dark;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a code as another program does, from an image of 3 pixels a module.
    fn read(rows: &[Vec<bool>]) -> String {
        let side = rows.len() * 3;
        let pixel = |x: usize, y: usize| if rows[y / 3][x / 3] { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, pixel);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "one code is found");
        grids[0].decode().expect("it is readable").1
    }

    /// What a terminal shows, as modules.
    fn shown(text: &str) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in text.lines() {
            let blocks = line.strip_prefix(BLACK_ON_WHITE).and_then(|it| it.strip_suffix(PLAIN));
            let blocks: Vec<_> = blocks.expect("every line has its colours").chars().collect();
            rows.push(blocks.iter().map(|it| "█▀".contains(*it)).collect());
            rows.push(blocks.iter().map(|it| "█▄".contains(*it)).collect());
        }
        rows
    }

    #[test]
    fn another_program_reads_what_is_drawn_and_shown() {
        let id = "potluck:12D3KooWQK1wnefoLrcVHbbnf5tLzbopUd3K3bFAoJpA7YJgL5pV";
        for content in ["p", id, "林晓的电脑", &id.repeat(6), &"x".repeat(MAX_TEXT)] {
            let rows = matrix(content).unwrap();
            assert!(rows.iter().all(|row| row.len() == rows.len()), "a square");
            assert_eq!(read(&rows), content);
            let edge = |row: &Vec<bool>| !row.contains(&true);
            assert!(rows[..QUIET].iter().chain(&rows[rows.len() - QUIET..]).all(edge));
            let mut drawn = shown(&text(content).unwrap());
            // The last line has room for a row more than there is.
            assert!(drawn.len() <= rows.len() + 1);
            drawn.truncate(rows.len());
            assert_eq!(drawn, rows);
        }
    }

    #[test]
    fn a_terminal_of_80_columns_has_room_for_425_bytes() {
        let columns = |bytes: usize| matrix(&"x".repeat(bytes)).unwrap().len();
        assert!(columns(425) <= 80 && columns(426) > 80, "{} {}", columns(425), columns(426));
    }

    #[test]
    fn what_no_code_holds_is_said() {
        let error = matrix(&"x".repeat(MAX_TEXT + 1)).unwrap_err();
        assert_eq!(error, QrError::TooLong { bytes: MAX_TEXT + 1, most: MAX_TEXT });
    }
}
