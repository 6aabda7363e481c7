//! How figures grow with what is there, as pictures: both axes in powers of ten, so that a straight line says by which.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use xtask::bench::Figure;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 360.0;
const EDGE: f64 = 60.0;

/// What is measured: the bench, the figure and its unit.
type What<'a> = (&'a str, &'a str, &'a str);

/// File names and pictures, of every figure that was measured at several sizes.
pub(crate) fn all(figures: &[Figure]) -> Vec<(String, String)> {
    let mut lines: BTreeMap<What<'_>, Vec<(f64, f64)>> = BTreeMap::new();
    for figure in figures.iter().filter(|figure| figure.value > 0.0) {
        if let Some(at) = figure.at.filter(|at| *at > 0.0) {
            lines.entry((&figure.bench, &figure.figure, &figure.unit)).or_default().push((at, figure.value));
        }
    }
    lines.retain(|_, points| points.len() > 1);
    lines.into_iter().map(|((bench, name, unit), points)| (file(bench, name), svg(name, unit, &points))).collect()
}

fn file(bench: &str, name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    format!("{bench}-{plain}.svg")
}

/// From the power of ten below the least to the one above the most.
fn range(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let least = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
    let most = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil();
    (least, most.max(least + 1.0))
}

fn svg(name: &str, unit: &str, points: &[(f64, f64)]) -> String {
    let (left, right) = range(points.iter().map(|point| point.0));
    let (bottom, top) = range(points.iter().map(|point| point.1));
    let x = |at: f64| EDGE + (at.log10() - left) / (right - left) * (WIDTH - 2.0 * EDGE);
    let y = |value: f64| HEIGHT - EDGE - (value.log10() - bottom) / (top - bottom) * (HEIGHT - 2.0 * EDGE);
    let mut marks = String::new();
    let mut path = String::new();
    for (at, value) in points {
        let (x, y) = (x(*at), y(*value));
        let _ = write!(path, "{}{x:.1} {y:.1}", if path.is_empty() { "M" } else { " L" });
        let _ = write!(marks, "<circle cx='{x:.1}' cy='{y:.1}' r='3'/>");
        let _ = write!(marks, "<text x='{x:.1}' y='{:.1}' text-anchor='middle'>{value:.3}</text>", y - 8.0);
        let _ = write!(marks, "<text x='{x:.1}' y='{:.1}' text-anchor='middle'>{at}</text>", HEIGHT - EDGE + 18.0);
    }
    let (floor, end) = (HEIGHT - EDGE, WIDTH - EDGE);
    let mut lines = String::new();
    let mut power = bottom;
    while power <= top {
        let at = y(10_f64.powf(power));
        let _ = write!(lines, "<path d='M{EDGE} {at:.1} H{end}' stroke='#ddd'/>");
        let _ =
            write!(lines, "<text x='{:.1}' y='{at:.1}' text-anchor='end'>{}</text>", EDGE - 6.0, 10_f64.powf(power));
        power += 1.0;
    }
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' font-family='sans-serif' font-size='11'>\
         <rect width='100%' height='100%' fill='white'/><text x='{EDGE}' y='24' font-size='14'>{name} ({unit})</text>\
         {lines}<path d='M{EDGE} {floor} H{end}' stroke='black'/>\
         <path d='{path}' fill='none' stroke='#0a6' stroke-width='2'/>{marks}</svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_at_several_sizes_is_a_line_and_others_are_none() {
        let at = |at: f64, value: f64| Figure::new("growth", "load a stream", value, "ms").at(at);
        let figures = [at(1e4, 2.0), at(1e5, 3.0), Figure::new("log", "alone", 1.0, "ms")];
        let pictures = all(&figures);
        assert_eq!(pictures.len(), 1);
        let (name, svg) = &pictures[0];
        assert_eq!(name, "growth-load-a-stream.svg");
        assert_eq!(svg.matches("<circle").count(), 2);
        assert!(svg.contains("load a stream (ms)") && svg.trim_end().ends_with("</svg>"));
    }
}
