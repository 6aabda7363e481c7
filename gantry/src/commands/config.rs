use serde_json::json;

use platform::config::Source;

use crate::{
    exit::{Exit, Outcome},
    output::{Colour, Output},
    settings::From,
};

pub(crate) fn run(from: &From, out: Output) -> Outcome {
    let config = from.load()?;
    let told: Vec<_> = config
        .report()
        .iter()
        .map(|setting| json!({ "key": setting.key, "value": setting.value, "source": setting.source.to_string() }))
        .collect();
    out.answer(&told, || {
        let mut table = out.table(["setting", "value", "from"]);
        for setting in config.report() {
            let colour = if setting.source == Source::Default { Colour::Faint } else { Colour::Busy };
            table.row([
                (setting.key.clone(), None),
                (setting.value.clone(), Some(Colour::Strong)),
                (setting.source.to_string(), Some(colour)),
            ]);
        }
        table.or_else("")
    });
    Ok(Exit::Done)
}
