use domain::template::{Change, Difference, Part, difference};

use crate::{
    exit::{Exit, Outcome},
    output::{Colour, Output},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The directory of one, or its name below infra/lxc/templates.
    old: String,
    /// The directory of the other.
    new: String,
}

pub(super) fn run(args: &Args, out: Output) -> Outcome {
    let (old, new) = (super::read(&super::directory(&args.old))?, super::read(&super::directory(&args.new))?);
    let found = difference(&old, &new);
    out.answer(&found, || in_words(&found, out));
    Ok(Exit::Done)
}

fn in_words(found: &[Difference], out: Output) -> String {
    if found.is_empty() {
        return "They are the same.".to_owned();
    }
    let line = |difference: &Difference| {
        let (sign, colour) = match difference.change {
            Change::Added => ("+", Colour::Good),
            Change::Removed => ("-", Colour::Bad),
            Change::Changed => ("~", Colour::Busy),
        };
        let part = match difference.part {
            Part::Setting => "setting",
            Part::Package => "package",
            Part::File => "file",
            Part::Script => "script",
            Part::Readme => "readme",
        };
        format!("{} {part:<8} {}", out.paint(colour, sign), difference.name)
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}
