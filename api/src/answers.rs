//! Answers to a template's questions that were given before: they still count where the questions are the same.

use std::collections::BTreeMap;

use domain::SealedId;
use domain::template::Input;

use crate::app::App;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::unread::unread;

/// Those to what is still asked, and whether that is all of them.
///
/// # Errors
/// When the vault can't be read.
pub(crate) async fn given_before(
    app: &App,
    sealed: SealedId,
    asked: &[Input],
) -> Result<(BTreeMap<String, Secret>, bool), Problem> {
    let bytes = app.vault.open(sealed).await.map_err(unread)?;
    let mut before: BTreeMap<String, Secret> =
        serde_json::from_slice(bytes.expose()).map_err(|_| Problem::internal("sealed answers are damaged"))?;
    let all = before.len();
    before.retain(|name, _| asked.iter().any(|input| input.name == *name));
    let whole = before.len() == all;
    Ok((before, whole))
}
