//! All that is wrong with a configuration, said at once.

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("configuration: {}", mistakes.join("; "))]
pub struct ConfigMistakes {
    /// One sentence each, beginning with the path of the value.
    pub mistakes: Vec<String>,
}

/// Refuses what any rule finds: a rule is whether something is wrong, and what.
pub fn refuse_mistakes<'a>(
    rules: impl IntoIterator<Item = (bool, &'a str)>,
) -> Result<(), ConfigMistakes> {
    let found = rules.into_iter().filter(|(is_wrong, _)| *is_wrong);
    let mistakes: Vec<String> = found.map(|(_, what)| what.to_owned()).collect();

    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(ConfigMistakes { mistakes })
    }
}
