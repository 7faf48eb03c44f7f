//! What chain this is: asked once, kept beside the vault, so that a start needs no node.

use anyhow::{Context, Result, anyhow};
use client::NodeClient;
use domain::Genesis;
use std::path::Path;

/// The genesis in `file`, or that of the first node that answers, which is kept there.
pub(crate) async fn of_chain(nodes: &[NodeClient], file: &Path) -> Result<Genesis> {
    if let Some(known) = read_genesis(file)? {
        return Ok(known);
    }
    let genesis = ask_nodes(nodes)
        .await
        .context("the first start needs a node that says what chain it is")?;
    write_genesis(file, &genesis).with_context(|| format!("write {}", file.display()))?;
    Ok(genesis)
}

fn read_genesis(file: &Path) -> Result<Option<Genesis>> {
    match std::fs::read(file) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes))
            .transpose()
            .with_context(|| format!("{} is damaged", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("read {}", file.display())),
    }
}

async fn ask_nodes(nodes: &[NodeClient]) -> Result<Genesis> {
    let mut last = anyhow!("node.urls is empty");
    for node in nodes {
        match node.genesis().await {
            Ok(genesis) => return Ok(genesis),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

/// Whole or not at all.
fn write_genesis(file: &Path, genesis: &Genesis) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let folder = file.parent().context("a file has a folder")?;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let unfinished = file.with_extension("new");
    std::fs::write(&unfinished, serde_json::to_vec_pretty(genesis)?)?;
    std::fs::File::open(&unfinished)?.sync_all()?;
    Ok(std::fs::rename(&unfinished, file)?)
}
