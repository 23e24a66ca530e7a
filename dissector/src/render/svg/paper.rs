//! Writes elements of SVG, with all text escaped.

use crate::render::text::pen::Pen;
use std::fmt::Write as _;

/// A piece of SVG under construction.
#[derive(Debug, Default)]
pub(super) struct Paper {
    out: String,
    /// Groups are links to their messages in the page around the picture.
    pub links: bool,
    /// The group that is open is a link.
    linked: bool,
}

/// An end of a line or a corner of a box (pixels).
pub(super) type Point = (u32, u32);

impl Paper {
    /// Begins a picture of a size, at a height within the picture around it.
    pub fn begin(&mut self, class: &str, size: Point, y: u32, label: &str) {
        let (width, height) = size;
        // Writing into a string cannot fail; the same holds below.
        let _ = write!(
            self.out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"currentColor\" role=\"{}\">",
            // What has links in it must not be one thing for those who listen.
            if self.links { "group" } else { "img" }
        );
        self.title(label);
        self.out.push('\n');
    }

    pub fn end(&mut self) {
        self.out.push_str("</svg>\n");
    }

    /// Begins a group that shows a text when pointed at, and may be a link to a message.
    pub fn group(&mut self, class: &str, title: &str, message: Option<u64>) {
        self.linked = message.filter(|_| self.links).is_some();
        if let Some(no) = message.filter(|_| self.links) {
            let _ = write!(self.out, "<a href=\"#m{no}\">");
        }
        let _ = write!(self.out, "<g class=\"{class}\">");
        self.title(title);
    }

    pub fn end_group(&mut self) {
        self.out.push_str("</g>");
        if std::mem::take(&mut self.linked) {
            self.out.push_str("</a>");
        }
        self.out.push('\n');
    }

    fn title(&mut self, text: &str) {
        self.out.push_str("<title>");
        self.escaped(text);
        self.out.push_str("</title>");
    }

    /// A text at a point; `more` are further attributes of our own.
    pub fn text(&mut self, at: Point, class: &str, more: &str, text: &str) {
        let _ = write!(
            self.out,
            "<text x=\"{}\" y=\"{}\" class=\"{class}\"{more}>",
            at.0, at.1
        );
        self.escaped(text);
        self.out.push_str("</text>");
    }

    /// A line between two points, with the attributes of our own that it needs.
    pub fn line(&mut self, from: Point, to: Point, class: &str, more: &str) {
        let _ = write!(
            self.out,
            "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" class=\"{class}\" stroke=\"currentColor\"{more}/>",
            from.0, from.1, to.0, to.1
        );
    }

    /// A filled box.
    pub fn area(&mut self, at: Point, size: Point, class: &str, more: &str) {
        let _ = write!(
            self.out,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"{class}\"{more}/>",
            at.0, at.1, size.0, size.1
        );
    }

    /// A dot.
    pub fn dot(&mut self, at: Point, class: &str, more: &str) {
        let _ = write!(
            self.out,
            "<circle cx=\"{}\" cy=\"{}\" r=\"4\" class=\"{class}\"{more}/>",
            at.0, at.1
        );
    }

    /// The point of an arrow that comes from the left, or else from the right.
    pub fn point(&mut self, at: Point, from_left: bool, class: &str) {
        let (x, y) = at;
        let back = if from_left {
            x.saturating_sub(8)
        } else {
            x.saturating_add(8)
        };
        let _ = write!(
            self.out,
            "<path d=\"M{x} {y}L{back} {}L{back} {}Z\" class=\"{class}\"/>",
            y.saturating_sub(4),
            y.saturating_add(4)
        );
    }

    pub fn new_line(&mut self) {
        self.out.push('\n');
    }

    /// Text of unknown origin: what XML does not allow and what could disturb a reader is escaped first, then what XML would take for markup.
    fn escaped(&mut self, text: &str) {
        for c in harmless(text).chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                '\'' => self.out.push_str("&#39;"),
                // Not allowed in XML, even escaped.
                '\u{fffe}' | '\u{ffff}' => self.out.push('\u{fffd}'),
                c => self.out.push(c),
            }
        }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.out.into_bytes()
    }
}

/// A text with line feeds, but without other control characters.
fn harmless(text: &str) -> String {
    let mut out = Vec::new();
    let mut pen = Pen {
        out: &mut out,
        colour: false,
        ascii: false,
    };
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            pen.put("\n");
        }
        let mut quoted = line.split('"');
        pen.escaped(quoted.next().unwrap_or_default().as_bytes());
        for part in quoted {
            pen.put("\"");
            pen.escaped(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_stays_text() {
        let mut paper = Paper::default();
        paper.text(
            (1, 2),
            "word",
            "",
            "</text><script>\"a\"&'b'\u{1b}\u{202e}\u{ffff}",
        );
        let text = String::from_utf8(paper.into_bytes()).unwrap();
        assert!(!text.contains("<script>"), "{text}");
        assert!(text.contains("&lt;/text&gt;&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;"));
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{ffff}']), "{text}");
    }
}
