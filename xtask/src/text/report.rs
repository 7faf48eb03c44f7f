//! The figures with their goals. Pure.

use super::measure::{Function, Measured};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{Cell, Color, Table};

/// One figure; all are better when they are smaller. In thousandths, so that nothing is rounded into reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its name.
    what: &'static str,
    /// What it is now.
    found: u64,
    /// What it should be at most.
    goal: u64,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Number,
    Percent,
}

impl Figure {
    const fn is_reached(&self) -> bool {
        self.found <= self.goal
    }

    /// A value of this figure as people read it.
    pub fn show(&self, thousandths: u64) -> String {
        match self.unit {
            Unit::Number => format!("{}.{}", thousandths / 1_000, thousandths % 1_000 / 100),
            Unit::Percent => format!("{}.{} %", thousandths / 10, thousandths % 10),
        }
    }
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures(pub Vec<Figure>);

impl Figures {
    /// The figures of what was measured.
    pub fn of(measured: &Measured) -> Self {
        let functions = &measured.functions;
        let mut lengths: Vec<usize> = functions.iter().map(|one| one.lines).collect();
        lengths.sort_unstable();
        let long = |limit: usize| lengths.iter().filter(|lines| **lines > limit).count();
        let count = |is: fn(&Function) -> bool| functions.iter().filter(|one| is(one)).count();
        let short_docs = measured.doc_words.iter().filter(|words| **words <= 2);

        let number = |what, found, goal| Figure {
            what,
            found,
            goal,
            unit: Unit::Number,
        };
        let percent = |what, part, whole, goal| Figure {
            what,
            found: thousandths(part, whole),
            goal,
            unit: Unit::Percent,
        };
        Self(vec![
            number(
                "lines of a function, median",
                percentile(&lengths, 50) * 1_000,
                10_000,
            ),
            number(
                "lines of a function, p95",
                percentile(&lengths, 95) * 1_000,
                35_000,
            ),
            percent("functions over 70 lines", long(70), lengths.len(), 3),
            number(
                "tokens a code line",
                thousandths(measured.tokens, measured.code_lines),
                8_500,
            ),
            percent(
                "functions of 15 lines and more without a blank line or comment",
                count(Function::is_dense),
                count(Function::is_long),
                300,
            ),
            percent(
                "free functions with a one-word name",
                count(|one| one.is_free && !one.name.contains('_')),
                count(|one| one.is_free),
                250,
            ),
            percent(
                "doc comments of two words or fewer",
                short_docs.count(),
                measured.doc_words.len(),
                10,
            ),
        ])
    }

    /// How much is left to do.
    pub fn count_missed_goals(&self) -> usize {
        self.0.iter().filter(|figure| !figure.is_reached()).count()
    }

    /// The goals as a table of Markdown.
    pub fn goals(&self) -> String {
        let rows = self.0.iter();
        let rows =
            rows.map(|figure| format!("| {} | {} |\n", figure.what, figure.show(figure.goal)));
        "| Figure | At most |\n|---|--:|\n".to_owned() + &rows.collect::<String>()
    }

    /// The figures as a table for a terminal.
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(UTF8_BORDERS_ONLY);
        table.set_header(["figure", "found", "goal"]);

        for figure in &self.0 {
            let color = if figure.is_reached() {
                Color::Green
            } else {
                Color::Red
            };
            table.add_row([
                Cell::new(figure.what),
                Cell::new(figure.show(figure.found)).fg(color),
                Cell::new(format!("≤ {}", figure.show(figure.goal))),
            ]);
        }
        table
    }
}

fn thousandths(part: usize, whole: usize) -> u64 {
    (part as u64 * 1_000).checked_div(whole as u64).unwrap_or(0)
}

/// The value that so many percent do not exceed.
fn percentile(sorted: &[usize], percent: usize) -> u64 {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_shown_with_its_unit() {
        let goals = Figures::of(&Measured::default()).goals();
        assert!(goals.contains("| tokens a code line | 8.5 |\n"), "{goals}");
        assert!(
            goals.contains("| free functions with a one-word name | 25.0 % |\n"),
            "{goals}"
        );
    }

    #[test]
    fn percentiles_and_shares_are_exact() {
        let lengths: Vec<usize> = (1..=100).collect();
        assert_eq!(
            (percentile(&lengths, 50), percentile(&lengths, 95)),
            (50, 95)
        );
        assert_eq!(percentile(&[], 50), 0);
        assert_eq!(thousandths(1, 3), 333);
        assert_eq!(thousandths(1, 0), 0);
    }

    #[test]
    fn a_figure_beyond_its_goal_is_missed() {
        let measured = Measured {
            tokens: 9,
            code_lines: 1,
            ..Measured::default()
        };
        assert_eq!(Figures::of(&measured).count_missed_goals(), 1);
        assert_eq!(Figures::of(&Measured::default()).count_missed_goals(), 0);
    }
}
