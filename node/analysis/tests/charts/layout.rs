//! Finds texts of an SVG that leave the sheet or lie upon each other, by the outlines that usvg
//! lays out.

use potluck_analysis::font;
use resvg::tiny_skia::{Point, Transform};
use resvg::usvg::{Group, Node, Options, Rect, Tree};

/// The four corners of a text, in order, and what it says.
struct Placed {
    corners: [Point; 4],
    text: String,
}

/// One sentence for each fault.
pub fn faults(svg: &str) -> Vec<String> {
    let options =
        Options { fontdb: font::database(), font_family: font::NAME.into(), ..Options::default() };
    let tree = match Tree::from_str(svg, &options) {
        Ok(tree) => tree,
        Err(error) => return vec![format!("no SVG: {error}")],
    };
    let mut texts = Vec::new();
    collect(tree.root(), &mut texts);
    let mut faults = Vec::new();
    if texts.is_empty() {
        faults.push("there is no text".to_owned());
    }
    let (width, height) = (tree.size().width(), tree.size().height());
    for (number, text) in texts.iter().enumerate() {
        let inside =
            |at: &Point| (1.0..width - 1.0).contains(&at.x) && (1.0..height - 1.0).contains(&at.y);
        if !text.corners.iter().all(inside) {
            faults.push(format!("{:?} leaves the sheet: {:?}", text.text, text.corners));
        }
        for other in &texts[number + 1..] {
            if overlap(&text.corners, &other.corners) && overlap(&other.corners, &text.corners) {
                faults.push(format!("{:?} lies upon {:?}", text.text, other.text));
            }
        }
    }
    faults
}

/// How wide usvg lays out a text.
pub fn laid_out_width(text: &str, size: f32) -> f32 {
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9999\" height=\"99\">\
         <text x=\"9\" y=\"50\" font-size=\"{size}\" xml:space=\"preserve\">{text}</text></svg>"
    );
    let options =
        Options { fontdb: font::database(), font_family: font::NAME.into(), ..Options::default() };
    let tree = Tree::from_str(&svg, &options).unwrap();
    match tree.root().children() {
        [Node::Text(text)] => text.bounding_box().width(),
        nodes => panic!("{} nodes", nodes.len()),
    }
}

fn collect(group: &Group, texts: &mut Vec<Placed>) {
    for node in group.children() {
        match node {
            Node::Group(group) => collect(group, texts),
            Node::Text(text) => {
                let outlines = text.flattened().bounding_box();
                let said = text.chunks().iter().map(|chunk| chunk.text()).collect();
                let corners = corners(outlines, text.abs_transform());
                texts.push(Placed { corners, text: said });
            }
            Node::Path(_) | Node::Image(_) => {}
        }
    }
}

fn corners(of: Rect, transform: Transform) -> [Point; 4] {
    let mut points = [
        Point::from_xy(of.left(), of.top()),
        Point::from_xy(of.right(), of.top()),
        Point::from_xy(of.right(), of.bottom()),
        Point::from_xy(of.left(), of.bottom()),
    ];
    transform.map_points(&mut points);
    points
}

/// Whether no side of `one` separates the two (separating axis theorem, one half of it).
fn overlap(one: &[Point; 4], other: &[Point; 4]) -> bool {
    (0..4).all(|side| {
        let (from, to) = (one[side], one[(side + 1) % 4]);
        let normal = Point::from_xy(to.y - from.y, from.x - to.x);
        let along = |points: &[Point; 4]| {
            let places = points.map(|point| point.x * normal.x + point.y * normal.y);
            let low = places.into_iter().fold(f32::INFINITY, f32::min);
            (low, places.into_iter().fold(f32::NEG_INFINITY, f32::max))
        };
        let (a, b) = (along(one), along(other));
        a.0 < b.1 && b.0 < a.1
    })
}
