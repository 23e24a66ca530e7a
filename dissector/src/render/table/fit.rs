//! How a table is made to fit a terminal that is narrower than it. Texts are shortened, down to a length that still tells something; what is
//! still too wide loses its least important columns. Numbers and times are never cut: a part of one is another one.

use super::Column;

/// Texts are not made shorter than this for the sake of other columns.
const SHORTEST_TEXT: usize = 24;

/// The first column says what a row is about: it is not made shorter than this.
const SHORTEST_FIRST: usize = 40;

/// Columns of blanks between two columns of a table.
pub(super) const GAP: usize = 2;

/// A column as it would like to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wish {
    /// What it is.
    pub column: Column,
    /// How wide its widest cell is, or its heading.
    pub width: usize,
    /// Its cells are texts, which may be shortened.
    pub text: bool,
    /// It is the first one.
    pub first: bool,
}

impl Wish {
    fn least(&self) -> usize {
        let heading = self.column.heading.chars().count();
        let shortest = if self.first {
            SHORTEST_FIRST
        } else {
            SHORTEST_TEXT
        };
        if self.text {
            self.width.min(shortest.max(heading))
        } else {
            self.width
        }
    }
}

/// Which columns stay: as many as fit, the most important first.
pub(super) fn choose(wishes: &[Wish], limit: usize) -> Vec<bool> {
    let mut stays = vec![false; wishes.len()];
    // Of equals the first one; and the first of all says what a row is about.
    let mut order: Vec<(usize, &Wish)> = wishes.iter().enumerate().collect();
    order.sort_by_key(|(at, wish)| (!wish.first, wish.column.spare, *at));
    let mut widths = Vec::new();
    for (at, wish) in order {
        widths.push(wish.least());
        if total(&widths) > limit && !wish.first {
            widths.pop();
        } else if let Some(stays) = stays.get_mut(at) {
            *stays = true;
        }
    }
    stays
}

/// How wide the columns become that stay: the widest texts give way first.
pub(super) fn widths(wishes: &[Wish], limit: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = wishes.iter().map(|wish| wish.width).collect();
    loop {
        let over = total(&widths).saturating_sub(limit);
        if over == 0 {
            return widths;
        }
        let can_give = widths.iter().zip(wishes).enumerate();
        let can_give = can_give.filter(|(_, (width, wish))| **width > wish.least());
        let mut by_width: Vec<(usize, usize, usize)> = can_give
            .map(|(at, (width, wish))| (*width, at, wish.least()))
            .collect();
        by_width.sort_unstable();
        let Some((widest, at, least)) = by_width.pop() else {
            return widths;
        };
        // Down to the next widest, or by as much as is needed.
        let next = by_width.last().map_or(0, |(width, ..)| *width);
        let target = widest
            .saturating_sub(over)
            .max(next.saturating_sub(1))
            .max(least);
        if let Some(width) = widths.get_mut(at) {
            *width = target.min(widest - 1);
        }
    }
}

/// How wide a table is.
pub(super) fn total(widths: &[usize]) -> usize {
    let gaps = GAP * widths.len().saturating_sub(1);
    widths.iter().sum::<usize>() + gaps
}

/// A text in so many columns.
pub(super) fn shortened(text: &str, width: usize, ellipsis: &str) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let rest = width.saturating_sub(ellipsis.chars().count());
    let mut short: String = text.chars().take(rest).collect();
    short.push_str(ellipsis);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(heading: &'static str, width: usize, text: bool, spare: u8) -> Wish {
        Wish {
            column: Column::left(heading, "key").spare(spare),
            width,
            text,
            first: heading == "A",
        }
    }

    #[test]
    fn the_widest_texts_give_way_and_none_below_what_tells_something() {
        let wishes = [
            wish("A", 10, false, 0),
            wish("B", 60, true, 0),
            wish("C", 40, true, 0),
            wish("D", 8, true, 0),
        ];
        assert_eq!(choose(&wishes, 100), [true; 4]);
        let fitted = widths(&wishes, 100);
        assert_eq!(total(&fitted), 100);
        assert_eq!((fitted[0], fitted[3]), (10, 8));
        assert!(fitted[1].abs_diff(fitted[2]) <= 1, "{fitted:?}");
        assert_eq!(widths(&wishes, 1000), [10, 60, 40, 8]);
        assert_eq!(widths(&wishes, 1), [10, 24, 24, 8]);
    }

    #[test]
    fn the_least_important_columns_go_and_never_the_first_one() {
        let wishes = [
            wish("A", 20, false, 9),
            wish("B", 20, false, 1),
            wish("C", 20, false, 0),
            wish("D", 20, false, 2),
        ];
        assert_eq!(choose(&wishes, 86), [true; 4]);
        assert_eq!(choose(&wishes, 85), [true, true, true, false]);
        assert_eq!(choose(&wishes, 63), [true, false, true, false]);
        // What is less important stays where the more important does not fit.
        let uneven = [
            wish("A", 20, false, 0),
            wish("B", 40, false, 1),
            wish("C", 10, false, 2),
        ];
        assert_eq!(choose(&uneven, 40), [true, false, true]);
        assert_eq!(choose(&wishes, 3), [true, false, false, false]);
    }

    #[test]
    fn a_shortened_text_has_its_width() {
        assert_eq!(shortened("abcdef", 6, "…"), "abcdef");
        assert_eq!(shortened("abcdefg", 6, "…"), "abcde…");
        assert_eq!(shortened("äbcdefg", 6, "..."), "äbc...");
    }
}
