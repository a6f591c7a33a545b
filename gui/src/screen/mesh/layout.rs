//! Where the nodes of the map go. Pure: sizes in, places out.
//!
//! This node is in the middle; the faster another one answers, the nearer it is. Its angle comes
//! from its id, so that it stays where it was; where that place is taken the next free one is
//! used. A place is free when neither circle nor label meets anything: what finds none is left to
//! the list.

use iced::{Point, Rectangle, Size};

/// The rings, in milliseconds, and how far out they are.
pub const RINGS: [(f32, f32); 3] = [(2.0, 0.6), (10.0, 0.8), (50.0, 1.0)];
/// Radius of a node.
pub const CIRCLE: f32 = 22.0;
/// Radius of this one.
pub const OWN: f32 = 30.0;
/// From the middle of a circle to the top of its label.
pub const LABEL: f32 = 6.0;
/// Height of a label: a name, and a line below it.
pub const LABEL_HEIGHT: f32 = 42.0;
/// Around a circle: the ring of the chosen one.
const AROUND: f32 = 9.0;
/// Between two boxes.
const APART: f32 = 6.0;
/// The most nodes on a map.
const MOST: usize = 40;

/// What is to be placed.
pub struct Wanted {
    /// From the id.
    pub hash: u64,
    /// Round trip.
    pub rtt_ms: Option<f32>,
    /// How wide its label is.
    pub label: f32,
    /// It is placed before others, because something goes on with it.
    pub first: bool,
}

/// Where everything is.
#[derive(Debug)]
pub struct Places {
    /// This node.
    pub middle: Point,
    /// Half the axes of the outermost ring.
    pub reach: Size,
    /// The others, in the order in which they were given; `None` for those without room.
    pub nodes: Vec<Option<Point>>,
    /// What may not be covered: circles with labels, and the labels of rings.
    pub taken: Vec<Rectangle>,
}

/// Places nodes on a map of a size.
pub fn place(size: Size, own_label: f32, wanted: &[Wanted]) -> Places {
    let middle = Point::new(size.width / 2.0, (size.height - LABEL_HEIGHT / 2.0) / 2.0);
    let reach = Size::new(
        (size.width / 2.0 - 56.0).max(80.0),
        (middle.y - CIRCLE - AROUND - 4.0).max(60.0),
    );
    let mut taken = vec![footprint(middle, OWN, own_label)];
    taken.extend(RINGS.map(|(_, out)| ring_label(middle, reach, out)));
    if wanted.len() > 12 {
        // Here stands how many have no room.
        taken.push(Rectangle::new(Point::new(size.width - 180.0, 0.0), Size::new(180.0, 44.0)));
    }
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    let near = |index: &usize| wanted[*index].rtt_ms.unwrap_or(f32::MAX);
    order.sort_by(|a, b| {
        let key = |index: &usize| (!wanted[*index].first, wanted[*index].hash);
        key(a).cmp(&key(b)).then(near(a).total_cmp(&near(b)))
    });
    let mut nodes = vec![None; wanted.len()];
    for index in order.into_iter().take(MOST) {
        let one = &wanted[index];
        let found = candidates(middle, reach, one).find(|at| {
            let print = footprint(*at, CIRCLE, one.label);
            inside(print, size) && taken.iter().all(|other| other.intersection(&print).is_none())
        });
        if let Some(at) = found {
            taken.push(footprint(at, CIRCLE, one.label));
            nodes[index] = Some(at);
        }
    }
    Places { middle, reach, nodes, taken }
}

/// How far out a node belongs: 0 in the middle, 1 on the outermost ring.
pub fn distance(rtt_ms: Option<f32>) -> f32 {
    let Some(ms) = rtt_ms else { return 1.0 };
    (0.6 + 0.2 * (ms.max(0.01) / 2.0).ln() / 5.0_f32.ln()).clamp(0.42, 1.0)
}

/// What a circle with its label covers.
pub fn footprint(at: Point, circle: f32, label: f32) -> Rectangle {
    let half = (label / 2.0).max(circle + AROUND) + APART / 2.0;
    let top = at.y - circle - AROUND - APART / 2.0;
    let bottom = at.y + circle + LABEL + LABEL_HEIGHT + APART / 2.0;
    Rectangle::new(Point::new(at.x - half, top), Size::new(2.0 * half, bottom - top))
}

/// What the label of a ring covers.
pub fn ring_label(middle: Point, reach: Size, out: f32) -> Rectangle {
    let at = Point::new(middle.x, middle.y - reach.height * out);
    Rectangle::new(Point::new(at.x - 24.0, at.y - 9.0), Size::new(48.0, 18.0))
}

fn inside(print: Rectangle, size: Size) -> bool {
    print.x >= 0.0
        && print.y >= 0.0
        && print.x + print.width <= size.width
        && print.y + print.height <= size.height
}

/// Its own place, then ever farther ones: along the ring first, then to other rings.
fn candidates(middle: Point, reach: Size, one: &Wanted) -> impl Iterator<Item = Point> {
    let own = (one.hash % 3600) as f32 / 10.0;
    let out = distance(one.rtt_ms);
    let rings = [0.0, 0.08, -0.08, 0.16, -0.16, 0.24, 0.32, 0.4, 0.5, 0.58];
    rings.into_iter().flat_map(move |ring| {
        (0..72).map(move |step: i32| {
            let turn = ((step + 1) / 2 * 5) as f32;
            let degrees = if step % 2 == 0 { own + turn } else { own - turn };
            let (sin, cos) = degrees.to_radians().sin_cos();
            // Beyond the last ring there is room in the corners.
            let out = (out + ring).clamp(0.42, 1.3);
            Point::new(middle.x + reach.width * out * cos, middle.y + reach.height * out * sin)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(count: u64, seed: u64) -> Vec<Wanted> {
        (0..count)
            .map(|n| {
                let hash = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15 ^ seed) >> 7;
                Wanted {
                    hash,
                    rtt_ms: (hash % 5 != 0).then_some((hash % 400) as f32 / 5.0),
                    label: 40.0 + (hash % 120) as f32,
                    first: hash % 7 == 0,
                }
            })
            .collect()
    }

    #[test]
    fn labels_and_circles_never_touch() {
        for size in [(690.0, 550.0), (514.0, 518.0), (400.0, 260.0), (1600.0, 900.0)] {
            for seed in 0..40 {
                let wanted = crowd(1 + seed, seed);
                let size = Size::new(size.0, size.1);
                let places = place(size, 110.0, &wanted);
                let mut prints = vec![footprint(places.middle, OWN, 110.0)];
                for (one, at) in wanted.iter().zip(&places.nodes) {
                    prints.extend(at.map(|at| footprint(at, CIRCLE, one.label)));
                }
                for (index, print) in prints.iter().enumerate() {
                    assert!(index == 0 || inside(*print, size), "{print:?} leaves the map");
                    for other in &prints[..index] {
                        assert!(print.intersection(other).is_none(), "{print:?} meets {other:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_class_fits_on_a_usual_map() {
        let all = |count, size| {
            let places = place(size, 110.0, &crowd(count, 3));
            places.nodes.iter().filter(|place| place.is_some()).count()
        };
        assert_eq!(all(8, Size::new(690.0, 550.0)), 8);
        assert_eq!(all(6, Size::new(514.0, 518.0)), 6);
        assert_eq!(all(100, Size::new(4000.0, 4000.0)), MOST);
    }

    #[test]
    fn the_faster_the_nearer() {
        let out: Vec<_> = [0.2, 1.0, 2.0, 5.0, 10.0, 49.0].map(|ms| distance(Some(ms))).into();
        assert!(out.windows(2).all(|pair| pair[0] <= pair[1]), "{out:?}");
        assert!((distance(Some(10.0)) - 0.8).abs() < 0.001);
        assert_eq!((distance(Some(900.0)), distance(None)), (1.0, 1.0));
    }

    #[test]
    fn a_node_stays_where_it_was_when_others_come() {
        let size = Size::new(1600.0, 1200.0);
        let before = place(size, 110.0, &crowd(4, 9)).nodes;
        let after = place(size, 110.0, &crowd(5, 9)).nodes;
        let stayed = before.iter().zip(&after).filter(|(a, b)| a == b).count();
        assert!(stayed >= 3, "{before:?} {after:?}");
    }
}
