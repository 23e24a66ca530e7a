//! Tables of other analyses, with their cells as the page shows them.

use crate::messages::Packed;
use crate::shown::{Style, grouped};
use cti_dissector::render::table::{Cell, Column};

/// A table.
pub(crate) struct Table {
    pub headings: Vec<Heading>,
    pub rows: Vec<Vec<Field>>,
    /// How many more rows there are.
    pub more: Option<String>,
}

/// The head of a column.
pub(crate) struct Heading {
    pub text: String,
    pub right: bool,
}

/// A cell.
pub(crate) struct Field {
    pub text: String,
    pub right: bool,
    /// It stays on one line.
    pub whole: bool,
    /// The message that it names, if that is in the page.
    pub message: Option<u64>,
}

impl Table {
    /// The first rows of a table; columns for spreadsheets only are left out, and those in `without`.
    pub fn new(
        columns: &[Column],
        rows: &[Vec<Cell>],
        without: &[&str],
        most: usize,
        style: &Style,
        messages: &Packed,
    ) -> Self {
        let columns: Vec<(usize, &Column)> = columns
            .iter()
            .enumerate()
            .filter(|(_, c)| !c.csv_only && !without.contains(&c.key))
            .collect();
        let field = |row: &Vec<Cell>, (index, column): &(usize, &Column)| {
            let cell = row.get(*index).unwrap_or(&Cell::Missing);
            let no = match (cell, column.key) {
                (Cell::Number(no), "message") if messages.has(*no) => Some(*no),
                _ => None,
            };
            Field {
                text: match cell {
                    Cell::Missing => "–".to_owned(),
                    Cell::Number(no) if column.key == "message" => format!("#{no}"),
                    cell => style.cell(cell),
                },
                right: column.right,
                whole: matches!(cell, Cell::Time(_)),
                message: no,
            }
        };
        let more = u64::try_from(rows.len().saturating_sub(most)).unwrap_or(u64::MAX);
        Self {
            headings: columns
                .iter()
                .map(|(_, column)| Heading {
                    text: sentence(column.heading),
                    right: column.right,
                })
                .collect(),
            rows: rows
                .iter()
                .take(most)
                .map(|row| columns.iter().map(|column| field(row, column)).collect())
                .collect(),
            more: (more > 0).then(|| grouped(more)),
        }
    }
}

/// A heading that is all capitals as words.
fn sentence(heading: &str) -> String {
    let mut chars = heading.chars();
    match chars.next() {
        Some(first) if heading != "MRD" && heading != "RONA" => {
            let rest: String = chars.flat_map(char::to_lowercase).collect();
            format!("{first}{rest}")
        }
        _ => heading.to_owned(),
    }
}
