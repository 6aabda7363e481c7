use comfy_table::{Attribute, Cell};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Good,
    Bad,
    Busy,
    Faint,
    Strong,
}

impl Colour {
    pub(super) fn on(self, cell: Cell) -> Cell {
        match self {
            Self::Good => cell.fg(comfy_table::Color::Green),
            Self::Bad => cell.fg(comfy_table::Color::Red),
            Self::Busy => cell.fg(comfy_table::Color::Cyan),
            Self::Faint => cell.add_attribute(Attribute::Dim),
            Self::Strong => cell.add_attribute(Attribute::Bold),
        }
    }

    pub(super) fn paint(self, text: &str) -> String {
        let code = match self {
            Self::Good => 32,
            Self::Bad => 31,
            Self::Busy => 36,
            Self::Faint => 2,
            Self::Strong => 1,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
