//! Groups the entries of lists: fields that belong together stand together, whatever the order of the lists.

use super::parse::Item;
use crate::protocol::{List, Message};

/// How many entries one list of a message has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct ListCount {
    /// Entries, by the field that each entry has.
    pub entries: usize,
    /// The value of a counter that is itself a floating field.
    pub counter: Option<u32>,
}

/// Numbers the list entries of a message (`Item::group`) and counts them per list.
///
/// An entry begins where its leading field stands, where a field would appear for the second time, or where the fields of
/// the list are not adjacent.
pub(crate) fn group(
    message: &'static Message,
    bytes: &[u8],
    items: &mut [Item],
    counts: &mut Vec<ListCount>,
) {
    counts.clear();
    if message.lists.is_empty() {
        return;
    }
    counts.resize(message.lists.len(), ListCount::default());
    let counted = message.lists.iter().any(|l| l.counter_tag.is_some());
    let mut next_group = 1;
    // The entry being collected: its list, its group number, and the tags it has so far (by position of its first item).
    let mut open: Option<(usize, usize, usize)> = None;
    for index in 0..items.len() {
        let (before, rest) = items.split_at_mut(index);
        let Some(item) = rest.first_mut() else { break };
        if counted {
            note_counter(message.lists, bytes, item, counts);
        }
        let Some(usage) = item.usage else {
            open = None;
            continue;
        };
        let Some((list_index, list)) = usage.list.and_then(|i| Some((i, message.lists.get(i)?)))
        else {
            open = None;
            continue;
        };
        let leads = item.tag == list.lead;
        if leads && let Some(count) = counts.get_mut(list_index) {
            count.entries += 1;
        }
        if list.fields < 2 && !list.record {
            continue;
        }
        let begins = leads && !list.lead_ends_entry;
        let continues = !begins
            && open.is_some_and(|(of, _, first)| {
                let again = || {
                    before
                        .iter()
                        .skip(first)
                        .any(|earlier| earlier.tag == item.tag)
                };
                of == list_index && (usage.nested || !again())
            });
        if !continues {
            open = Some((list_index, next_group, index));
            next_group += 1;
        }
        item.group = open.map_or(0, |(_, group, _)| group);
        if leads && list.lead_ends_entry {
            open = None;
        }
    }
}

fn note_counter(lists: &[List], bytes: &[u8], item: &Item, counts: &mut [ListCount]) {
    for (list, count) in lists.iter().zip(counts) {
        if list.counter_tag == Some(item.tag) {
            let data = bytes.get(item.data.clone()).unwrap_or(&[]);
            let wire = item.field.and_then(|f| f.wire);
            count.counter = wire
                .and_then(|w| super::wire::number(w, data))
                .map(|n| n.bits);
        }
    }
}
