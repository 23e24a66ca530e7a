//! The shape of a message: who sends it, its parts and layouts.

use super::field::{FixedField, FloatingUse};

/// Number of a message on the wire (MessageType of the header). Any number is legal; not all have a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u32);

/// What part a message plays in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Asks for something and carries an InvokeID; answered by a confirmation, a response or a failure.
    Request,
    /// Answers a request.
    Confirmation,
    /// Comes unasked.
    Event,
    /// Tells something; no answer is due.
    Indication,
    /// Answers a request, in the messages that call their answers so.
    Response,
}

impl Kind {
    /// The lower-case name used in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Confirmation => "confirmation",
            Self::Event => "event",
            Self::Indication => "indication",
            Self::Response => "response",
        }
    }
}

/// Who may send a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// The client only.
    Client,
    /// The CTI Server only.
    Server,
    /// Both, or not known.
    Either,
}

/// What a failure message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// It is the negative answer to a request.
    OfRequest,
    /// It reports a failure that no request asked about.
    Reported,
}

/// A list in the floating part: entries of fields that stand together.
#[derive(Debug, PartialEq, Eq)]
pub struct List {
    /// Name of the field that counts the entries.
    pub counter: &'static str,
    /// Tag of that field where it is itself floating.
    pub counter_tag: Option<u16>,
    /// The field that each entry has.
    pub lead: u16,
    /// Number of fields in an entry.
    pub fields: usize,
    /// The entries are records: every floating field of the message belongs to one.
    pub record: bool,
    /// The leading field stands last in its entry, not first.
    pub lead_ends_entry: bool,
}

/// Where the timeline finds a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Index into the layout's fixed fields.
    Fixed(usize),
    /// Tag of a floating field.
    Floating(u16),
}

/// A field that the timeline shows for a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// What stands before the equals sign.
    pub label: &'static str,
    /// The field.
    pub place: Place,
}

/// The fixed part of a message in a range of protocol versions.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// First protocol version with this layout.
    pub since: u8,
    /// Last protocol version with this layout.
    pub until: u8,
    /// Bytes of the fixed part.
    pub size: u16,
    /// Fields in wire order.
    pub fixed: &'static [FixedField],
    /// For each list of the message: the fixed field that counts its entries, if it is a fixed one.
    pub counters: &'static [Option<usize>],
    /// What the timeline shows.
    pub timeline: &'static [Shown],
    /// The first field is the InvokeID.
    pub invoke_id: bool,
    /// The field that says whether more confirmations of the same request follow.
    pub more: Option<usize>,
}

/// Another layout of a message that was seen or printed somewhere.
#[derive(Debug, PartialEq, Eq)]
pub struct Variant {
    /// What is different.
    pub name: &'static str,
    /// Where it comes from.
    pub note: &'static str,
    /// The body length that selects it at once.
    pub body: Option<u16>,
    /// It has the usual size: chosen when its enumerated values are known and those of the usual layout are not.
    pub by_values: bool,
    /// First protocol version to which it may apply.
    pub since: Option<u8>,
    /// Last protocol version to which it may apply.
    pub until: Option<u8>,
    /// Its fixed parts by protocol version.
    pub layouts: &'static [Layout],
}

/// Another number under which some servers send a message.
#[derive(Debug, PartialEq, Eq)]
pub struct Alternative {
    /// That number.
    pub number: MessageType,
    /// Last protocol version to which it may apply.
    pub until: Option<u8>,
}

/// A message of the protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// Its number.
    pub number: MessageType,
    /// Its name.
    pub name: &'static str,
    /// `,"name":"...","role":"..."`, as JSON has it behind the number.
    pub json: &'static str,
    /// Its part in a conversation.
    pub kind: Kind,
    /// Who sends it.
    pub sender: Sender,
    /// The service it belongs to.
    pub service: &'static str,
    /// What it is for, in one line.
    pub summary: &'static str,
    /// Remarks on its layout.
    pub notes: Option<&'static str>,
    /// First protocol version with it.
    pub since: Option<u8>,
    /// The positive answer, for a request.
    pub reply: Option<MessageType>,
    /// The request that this message confirms.
    pub answers: Option<MessageType>,
    /// It tells of a failure.
    pub failure: Option<Failure>,
    /// Its floating part is a list of records.
    pub record: bool,
    /// It may carry a floating field that is secret.
    pub secret: bool,
    /// Its layout is published; of the others only name and kind are known.
    pub published: bool,
    /// Another number under which it may travel.
    pub alternative: Option<Alternative>,
    /// Largest message, header included, as an older edition prints it (bytes).
    pub max_size_v15: Option<u32>,
    /// Fixed parts by range of protocol versions, oldest first, without holes.
    pub layouts: &'static [Layout],
    /// Floating fields it may carry, sorted by tag.
    pub floating: &'static [FloatingUse],
    /// For each tag: 1 and its index in `floating`, or 0. Tags beyond the end are in no field of the message.
    pub by_tag: &'static [u8],
    /// The tags of `floating` in the order of the specification.
    pub floating_order: &'static [u16],
    /// Lists in its floating part.
    pub lists: &'static [List],
    /// Other layouts.
    pub variants: &'static [Variant],
    /// Floating fields that the specification names without a tag.
    pub untagged: &'static [&'static str],
}

impl Message {
    /// The fixed part at a protocol version.
    #[must_use]
    pub fn layout(&self, version: u8) -> Option<&'static Layout> {
        layout_at(self.layouts, version)
    }

    /// How this message uses a floating field; `None` when the specification does not give it to this message.
    #[must_use]
    pub fn floating(&self, tag: u16) -> Option<&'static FloatingUse> {
        let place = usize::from(*self.by_tag.get(usize::from(tag))?);
        self.floating.get(place.checked_sub(1)?)
    }
}

impl Variant {
    /// The fixed part at a protocol version.
    #[must_use]
    pub fn layout(&self, version: u8) -> Option<&'static Layout> {
        layout_at(self.layouts, version)
    }
}

fn layout_at(layouts: &'static [Layout], version: u8) -> Option<&'static Layout> {
    layouts
        .iter()
        .find(|l| version <= l.until)
        .or(layouts.last())
}
