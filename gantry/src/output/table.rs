use comfy_table::{Attribute, Cell, ContentArrangement, presets};

use super::Colour;

/// Columns for people; scripts take `--json`.
#[derive(Debug)]
pub(crate) struct Table {
    inner: comfy_table::Table,
    colours: bool,
    rows: usize,
}

impl Table {
    pub(super) fn new<const N: usize>(heads: [&str; N], colours: bool, terminal: bool) -> Self {
        let mut inner = comfy_table::Table::new();
        inner.load_style(presets::NOTHING).set_content_arrangement(if terminal {
            ContentArrangement::Dynamic
        } else {
            ContentArrangement::Disabled
        });
        let style = |head: &str| {
            let cell = Cell::new(head.to_uppercase());
            if colours { cell.add_attribute(Attribute::Bold) } else { cell }
        };
        inner.set_header(heads.into_iter().map(style));
        Self { inner, colours, rows: 0 }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [(String, Option<Colour>); N]) {
        let colours = self.colours;
        self.inner.add_row(cells.into_iter().map(|(text, colour)| {
            let cell = Cell::new(text);
            match colour.filter(|_| colours) {
                Some(colour) => colour.on(cell),
                None => cell,
            }
        }));
        self.rows += 1;
    }

    /// What to say when there is nothing to list is the caller's.
    pub(crate) fn or_else(&self, empty: &str) -> String {
        if self.rows == 0 { empty.to_owned() } else { self.inner.trim_fmt() }
    }
}
