//! `text-ratchet.toml`: what each figure is at most. It only goes down.

use super::report::{Figure, Figures};
use crate::repository;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

const FILE: &str = "xtask/text-ratchet.toml";

const HEAD: &str = "\
# What the figures of `xtask text` are at most, in thousandths: 9000 is 9 lines, 584 is 58.4 %.
# `xtask text --tighten` lowers what has become better. Nothing raises it but an edit, with its reason in the commit.
";

/// Figure → the most that is let through, in thousandths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ceilings(BTreeMap<String, u64>);

impl Ceilings {
    /// What is committed.
    pub fn read() -> Result<Self> {
        let text = std::fs::read_to_string(FILE).with_context(|| format!("read {FILE}"))?;
        Self::parse(&text).with_context(|| format!("read {FILE}"))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(Self(toml::from_str(text)?))
    }

    /// Puts it where it is committed.
    pub fn write(&self, figures: &Figures) -> Result<()> {
        repository::write_changed(Path::new(FILE), &self.to_text(figures))?;
        Ok(())
    }

    fn to_text(&self, figures: &Figures) -> String {
        let lines = figures.0.iter().filter_map(|figure| {
            let ceiling = self.0.get(figure.what)?;
            Some(format!("\"{}\" = {ceiling}\n", figure.what))
        });
        HEAD.chars()
            .chain(lines.collect::<String>().chars())
            .collect()
    }

    /// These, lowered to what is found; a figure without one gets one.
    pub fn tighten(&self, figures: &Figures) -> Self {
        let lowered = figures.0.iter().map(|figure| {
            let found = round_up(figure.found);
            let before = self.0.get(figure.what).copied().unwrap_or(found);
            (figure.what.to_owned(), found.min(before))
        });
        Self(lowered.collect())
    }

    /// What there is to say about each figure that is worse.
    pub fn exceeded_by(&self, figures: &Figures) -> Result<Vec<String>> {
        let mut exceeded = Vec::new();
        for figure in &figures.0 {
            let ceiling = self.of(figure)?;
            if figure.found > ceiling {
                let (found, most) = (figure.show(figure.found), figure.show(ceiling));
                let what = figure.what;
                exceeded.push(format!("{what}: {found}, and {FILE} allows {most}"));
            }
        }
        Ok(exceeded)
    }

    /// The figures with goal and ceiling, as Markdown.
    pub fn table(&self, figures: &Figures) -> Result<String> {
        let mut table = "| Figure | Goal | At most, now |\n|---|--:|--:|\n".to_owned();
        for figure in &figures.0 {
            let goal = figure.show(figure.goal);
            let most = figure.show(self.of(figure)?);
            table.push_str(&format!("| {} | {goal} | {most} |\n", figure.what));
        }
        Ok(table)
    }

    fn of(&self, figure: &Figure) -> Result<u64> {
        let ceiling = self.0.get(figure.what).copied();
        ceiling.with_context(|| {
            let what = figure.what;
            format!("{FILE} has no ceiling for {what:?}: xtask text --tighten sets it")
        })
    }
}

/// To what the table shows, a tenth of a line: what changes behind it is noise. Percents are shown to the last digit.
const fn round_up(thousandths: u64) -> u64 {
    if thousandths < 1_000 {
        thousandths
    } else {
        thousandths.div_ceil(100) * 100
    }
}

#[cfg(test)]
mod tests {
    use super::super::measure::Measured;
    use super::*;

    fn figures(tokens: usize) -> Figures {
        Figures::of(&Measured {
            tokens,
            code_lines: 1_000,
            ..Measured::default()
        })
    }

    #[test]
    fn a_figure_may_become_better_and_not_worse() {
        let ceilings = Ceilings::default().tighten(&figures(7_450));

        assert!(ceilings.exceeded_by(&figures(7_400)).unwrap().is_empty());
        assert!(ceilings.exceeded_by(&figures(7_500)).unwrap().is_empty());
        let worse = ceilings.exceeded_by(&figures(7_501)).unwrap();
        assert_eq!(worse.len(), 1, "{worse:?}");
        assert!(
            worse[0].starts_with("tokens a code line: 7.5,"),
            "{worse:?}"
        );
    }

    #[test]
    fn a_ceiling_only_goes_down() {
        let ceilings = Ceilings::default().tighten(&figures(7_000));
        assert_eq!(ceilings.tighten(&figures(8_000)), ceilings);
        assert_ne!(ceilings.tighten(&figures(6_000)), ceilings);
    }

    #[test]
    fn what_is_written_is_read_again_and_every_figure_has_its_ceiling() {
        let ceilings = Ceilings::default().tighten(&figures(7_000));
        let text = ceilings.to_text(&figures(0));

        assert_eq!(Ceilings::parse(&text).unwrap(), ceilings);
        assert!(Ceilings::parse("a = -1").is_err());
        assert!(Ceilings::default().exceeded_by(&figures(0)).is_err());
    }

    #[test]
    fn the_table_shows_goal_and_ceiling() {
        let ceilings = Ceilings::default().tighten(&figures(7_000));
        let table = ceilings.table(&figures(0)).unwrap();
        assert!(
            table.contains("| tokens a code line | 8.5 | 7.0 |\n"),
            "{table}"
        );
    }
}
