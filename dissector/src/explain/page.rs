//! Text on a page: headings, wrapped paragraphs and columns. Knows nothing of the protocol.

/// What a piece of text is, for those who colour it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The name of a topic.
    Title,
    /// The heading of a part, or of a column.
    Heading,
    /// A name of the protocol.
    Name,
}

/// How text is coloured. The page measures text before it is painted.
pub trait Style {
    /// The text with whatever shows its role.
    fn paint(&self, role: Role, text: &str) -> String;
}

/// No colours.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Style for Plain {
    fn paint(&self, _role: Role, text: &str) -> String {
        text.to_owned()
    }
}

/// A column: its heading, and whether its cells end (not begin) on one line.
pub(super) struct Column {
    pub(super) heading: &'static str,
    pub(super) right: bool,
    pub(super) role: Option<Role>,
}

/// A column of text.
pub(super) const fn text(heading: &'static str) -> Column {
    Column {
        heading,
        right: false,
        role: None,
    }
}

/// A column of numbers.
pub(super) const fn number(heading: &'static str) -> Column {
    Column {
        heading,
        right: true,
        role: None,
    }
}

/// A column of names.
pub(super) const fn name(heading: &'static str) -> Column {
    Column {
        heading,
        right: false,
        role: Some(Role::Name),
    }
}

/// Text under construction.
pub(super) struct Page<'a> {
    out: String,
    width: usize,
    style: &'a dyn Style,
}

impl<'a> Page<'a> {
    pub(super) fn new(width: usize, style: &'a dyn Style) -> Self {
        Self {
            out: String::new(),
            width: width.max(40),
            style,
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Starts a topic: its name, and what it is.
    pub(super) fn title(&mut self, name: &str, what: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out.push_str(&self.style.paint(Role::Title, name));
        self.out.push_str("  ");
        self.out.push_str(what);
        self.out.push('\n');
    }

    /// Starts a part of a topic.
    pub(super) fn heading(&mut self, heading: &str) {
        self.out.push('\n');
        self.out.push_str(&self.style.paint(Role::Heading, heading));
        self.out.push('\n');
    }

    /// A paragraph, wrapped and indented by two.
    pub(super) fn paragraph(&mut self, text: &str) {
        for line in wrap(text, self.width.saturating_sub(2)) {
            self.line(&format!("  {line}"));
        }
    }

    /// A word and what belongs to it, wrapped under itself.
    pub(super) fn entry(&mut self, word: &str, text: &str) {
        let indent = word.chars().count() + 4;
        let mut start = format!("  {}  ", self.style.paint(Role::Name, word));
        for line in wrap(text, self.width.saturating_sub(indent)) {
            self.line(&format!("{start}{line}"));
            start = " ".repeat(indent);
        }
    }

    /// Rows in columns. Columns without any text are left out, the last column is wrapped.
    pub(super) fn table(&mut self, columns: &[Column], rows: &[Vec<String>]) {
        let widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let cells = rows.iter().filter_map(|row| row.get(at));
                let longest = cells.map(|c| c.chars().count()).max().unwrap_or(0);
                if longest == 0 {
                    0
                } else {
                    longest.max(column.heading.chars().count())
                }
            })
            .collect();
        if columns.iter().any(|c| !c.heading.is_empty()) {
            let headings: Vec<String> = columns.iter().map(|c| c.heading.to_owned()).collect();
            self.row(columns, &widths, &headings, true);
        }
        for row in rows {
            self.row(columns, &widths, row, false);
        }
    }

    fn row(&mut self, columns: &[Column], widths: &[usize], cells: &[String], heading: bool) {
        let last = widths.iter().rposition(|w| *w > 0);
        let mut line = String::new();
        let mut used = 0;
        for (at, ((column, width), cell)) in columns.iter().zip(widths).zip(cells).enumerate() {
            if *width == 0 {
                continue;
            }
            line.push_str("  ");
            used += 2;
            let role = if heading {
                Some(Role::Heading)
            } else {
                column.role
            };
            let paint = |text: &str| match role {
                Some(role) if !text.is_empty() => self.style.paint(role, text),
                _ => text.to_owned(),
            };
            if Some(at) == last && !column.right {
                let room = self.width.saturating_sub(used).max(24);
                let mut lines = wrap(cell, room).into_iter();
                line.push_str(&paint(&lines.next().unwrap_or_default()));
                for more in lines {
                    line.push('\n');
                    line.push_str(&" ".repeat(used));
                    line.push_str(&paint(&more));
                }
                break;
            }
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let painted = paint(cell);
            let (before, after) = if column.right {
                (padding.as_str(), "")
            } else {
                ("", padding.as_str())
            };
            line.push_str(before);
            line.push_str(&painted);
            line.push_str(after);
            used += width;
        }
        self.line(&line);
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}

/// Words in lines of at most `width` characters; a longer word gets a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_the_last_one_wraps() {
        let mut page = Page::new(40, &Plain);
        let row = |cells: [&str; 3]| cells.map(String::from).to_vec();
        let columns = [number("no"), text("empty"), text("what")];
        page.table(
            &columns,
            &[
                row(["1", "", "one"]),
                row([
                    "100",
                    "",
                    "a line that is too long for the page so it goes on",
                ]),
            ],
        );
        insta::assert_snapshot!(page.finish(), @"
         no  what
          1  one
        100  a line that is too long for the
             page so it goes on
        ");
    }
}
