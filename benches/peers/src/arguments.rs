//! What a command is asked for: `--quick`, `--list`, `--no-postgres`, options with a value, and parts of the names of rows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::measure::Effort;

#[derive(Clone, Debug, Default)]
pub struct Arguments {
    /// Fewer rounds and fewer clients, and no PostgreSQL: to look at a change.
    pub quick: bool,
    /// Names the rows and measures nothing.
    pub list: bool,
    pub no_postgres: bool,
    /// Lines for a Markdown table.
    pub markdown: bool,
    values: BTreeMap<String, String>,
    rows: Vec<String>,
}

impl Arguments {
    /// Those of this process. `known` are the options that take a value.
    pub fn read(usage: &str, known: &[&str]) -> Self {
        let mut arguments = Self::default();
        let mut given = std::env::args().skip(1);
        while let Some(argument) = given.next() {
            match argument.as_str() {
                "--quick" => (arguments.quick, arguments.no_postgres) = (true, true),
                "--list" => arguments.list = true,
                "--no-postgres" => arguments.no_postgres = true,
                "--markdown" => arguments.markdown = true,
                "--help" | "-h" => stop(usage, 0),
                option if option.starts_with("--") => match given.next() {
                    Some(value) if known.contains(&option) => {
                        arguments.values.insert(option.to_owned(), value);
                    }
                    _ => stop(usage, 2),
                },
                row => arguments.rows.push(row.to_owned()),
            }
        }
        arguments
    }

    /// The number that an option gives, or another one.
    pub fn number(&self, option: &str, otherwise: usize) -> usize {
        let Some(value) = self.values.get(option) else { return otherwise };
        value.replace(['_', ','], "").parse().unwrap_or_else(|_| stop(&format!("{option} takes a number"), 2))
    }

    pub fn text(&self, option: &str) -> Option<&str> {
        self.values.get(option).map(String::as_str)
    }

    /// Whether a row or a part was asked for: all are, or those that contain one of the words.
    pub fn selects(&self, name: &str) -> bool {
        self.rows.is_empty() || self.rows.iter().any(|part| name.contains(part.as_str()))
    }

    pub fn effort(&self) -> Effort {
        if self.quick {
            Effort { rounds: 31, turn: Duration::from_millis(2) }
        } else {
            Effort { rounds: 101, turn: Duration::from_millis(5) }
        }
    }
}

fn stop(words: &str, code: i32) -> ! {
    eprintln!("{words}");
    std::process::exit(code)
}
