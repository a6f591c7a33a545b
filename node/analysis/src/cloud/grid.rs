//! Which cells of the picture are taken, and where a box of cells is free.

use rand::Rng;
use rand::rngs::Xoshiro256PlusPlus;

/// Places that are looked at of all that are free.
const DRAWS: usize = 24;

/// How far from a word its neighbours are, cells.
const FRAME: usize = 4;

/// Cells with their sums from the top left corner (a summed-area table: Crow, SIGGRAPH 1984), so
/// that any box is asked for in four reads.
#[derive(Clone)]
pub(super) struct Grid {
    width: usize,
    height: usize,
    taken: Vec<bool>,
    /// One row and one column more than there are cells, which are 0.
    sums: Vec<u32>,
    /// Free places in each row, of the last search.
    rows: Vec<u32>,
    /// Middle and half extent of what was free at first, for [`Grid::find`].
    middle: (f32, f32),
    extent: (f32, f32),
}

impl Grid {
    /// `free` by row.
    pub(super) fn new(free: &[bool], (width, height): (usize, usize)) -> Self {
        let mut grid = Self {
            width,
            height,
            taken: free.iter().map(|free| !free).collect(),
            sums: vec![0; (width + 1) * (height + 1)],
            rows: Vec::with_capacity(height),
            middle: (0.0, 0.0),
            extent: (1.0, 1.0),
        };
        grid.sum_from(0);
        grid.measure();
        grid
    }

    pub(super) fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Cells that are free.
    pub(super) fn room(&self) -> usize {
        self.taken.iter().filter(|taken| !**taken).count()
    }

    /// The top left cell of a free box. Of some places drawn at random, the one with the most
    /// neighbours wins, so that words pack, or the one nearest to the middle, as `pull` decides.
    pub(super) fn find(
        &mut self,
        (width, height): (usize, usize),
        pull: f32,
        random: &mut Xoshiro256PlusPlus,
    ) -> Option<(usize, usize)> {
        if width > self.width || height > self.height || width == 0 || height == 0 {
            return None;
        }
        let stride = self.width + 1;
        self.rows.clear();
        for y in 0..=self.height - height {
            let top = &self.sums[y * stride..][..stride];
            let bottom = &self.sums[(y + height) * stride..][..stride];
            let count = (top.iter().zip(bottom))
                .zip(top[width..].iter().zip(&bottom[width..]))
                .map(|((a, b), (c, d))| u32::from(b.wrapping_sub(*a) == d.wrapping_sub(*c)))
                .sum();
            self.rows.push(count);
        }
        let total: u32 = self.rows.iter().sum();
        if total == 0 {
            return None;
        }
        (0..DRAWS)
            .filter_map(|_| {
                // The upper half of the product: even enough, and the same on every machine.
                let number = (u128::from(random.next_u64()) * u128::from(total)) >> 64;
                let at = self.place(number as u32, width, height)?;
                let loss =
                    pull * self.distance(at, (width, height)) - self.contact(at, (width, height));
                Some((loss, at))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, at)| at)
    }

    /// From the middle of all, 0, to its border, about 1, squared.
    fn distance(&self, at: (usize, usize), size: (usize, usize)) -> f32 {
        let across = (at.0 as f32 + size.0 as f32 / 2.0 - self.middle.0) / self.extent.0;
        let down = (at.1 as f32 + size.1 as f32 / 2.0 - self.middle.1) / self.extent.1;
        across * across + down * down
    }

    /// What part of the frame around a free box is taken. Beyond the picture all is.
    fn contact(&self, at: (usize, usize), size: (usize, usize)) -> f32 {
        let (left, top) = (at.0.saturating_sub(FRAME), at.1.saturating_sub(FRAME));
        let right = (at.0 + size.0 + FRAME).min(self.width);
        let bottom = (at.1 + size.1 + FRAME).min(self.height);
        let sum = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let inside = sum(right, bottom) + sum(left, top) - sum(right, top) - sum(left, bottom);
        let whole = (size.0 + 2 * FRAME) * (size.1 + 2 * FRAME);
        let beyond = whole - (right - left) * (bottom - top);
        (inside as usize + beyond) as f32 / (whole - size.0 * size.1) as f32
    }

    /// Takes cells of a box, by row, whose top left cell is `at` (which may be outside).
    pub(super) fn take(&mut self, cells: &[bool], width: usize, at: (isize, isize)) {
        for (row, cells) in cells.chunks_exact(width).enumerate() {
            let Some(y) = at.1.checked_add_unsigned(row).and_then(|y| usize::try_from(y).ok())
            else {
                continue;
            };
            if y >= self.height {
                break;
            }
            for (column, _) in cells.iter().enumerate().filter(|(_, ink)| **ink) {
                let x = at.0 + column as isize;
                if (0..self.width as isize).contains(&x) {
                    self.taken[y * self.width + x as usize] = true;
                }
            }
        }
        self.sum_from(usize::try_from(at.1).unwrap_or(0).min(self.height));
    }

    /// The free place of this number, in reading order.
    fn place(&self, mut number: u32, width: usize, height: usize) -> Option<(usize, usize)> {
        let stride = self.width + 1;
        for (y, count) in self.rows.iter().enumerate() {
            if number >= *count {
                number -= count;
                continue;
            }
            let top = &self.sums[y * stride..][..stride];
            let bottom = &self.sums[(y + height) * stride..][..stride];
            for x in 0..=self.width - width {
                if bottom[x] - top[x] == bottom[x + width] - top[x + width] {
                    if number == 0 {
                        return Some((x, y));
                    }
                    number -= 1;
                }
            }
        }
        None
    }

    fn sum_from(&mut self, row: usize) {
        let stride = self.width + 1;
        for y in row..self.height {
            let (above, below) = self.sums.split_at_mut((y + 1) * stride);
            let above = &above[y * stride..];
            let mut sum = 0;
            let cells = &self.taken[y * self.width..][..self.width];
            for ((taken, above), below) in cells.iter().zip(&above[1..]).zip(&mut below[1..]) {
                sum += u32::from(*taken);
                *below = above + sum;
            }
        }
    }

    fn measure(&mut self) {
        let (mut count, mut x_sum, mut y_sum) = (0u64, 0u64, 0u64);
        let (mut least, mut most) = ((usize::MAX, usize::MAX), (0, 0));
        for (at, _) in self.taken.iter().enumerate().filter(|(_, taken)| !**taken) {
            let (x, y) = (at % self.width, at / self.width);
            count += 1;
            x_sum += x as u64;
            y_sum += y as u64;
            least = (least.0.min(x), least.1.min(y));
            most = (most.0.max(x), most.1.max(y));
        }
        if count > 0 {
            self.middle = (x_sum as f32 / count as f32, y_sum as f32 / count as f32);
            self.extent = (
                ((most.0 - least.0) as f32 / 2.0).max(1.0),
                ((most.1 - least.1) as f32 / 2.0).max(1.0),
            );
        }
    }
}
