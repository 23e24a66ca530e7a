//! The shapes of protocol knowledge: messages, fields, values, versions.

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

/// Data types of the protocol. All numbers are big-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WireType {
    /// Signed, 1 byte.
    Char,
    /// Unsigned, 1 byte.
    UChar,
    /// Signed, 2 bytes.
    Short,
    /// Unsigned, 2 bytes.
    UShort,
    /// Signed, 4 bytes.
    Int,
    /// Unsigned, 4 bytes.
    UInt,
    /// 2 bytes, 0 is false, 1 is true.
    Bool,
    /// Seconds since 1970-01-01 00:00 UTC, 4 bytes unsigned.
    Time,
    /// ASCII text, its terminating zero counted.
    String,
    /// Opaque bytes.
    Unspec,
    /// Name and value, both zero-terminated text.
    NamedVariable,
    /// 1-byte index, then name and value as in a named variable.
    NamedArray,
    /// TaskGroupHigh, TaskGroupLow and SequenceNumber, each INT: 12 bytes.
    TaskId,
}

impl WireType {
    /// Bytes of a value; `None` for types whose length varies.
    #[must_use]
    pub const fn size(self) -> Option<u16> {
        match self {
            Self::Char | Self::UChar => Some(1),
            Self::Short | Self::UShort | Self::Bool => Some(2),
            Self::Int | Self::UInt | Self::Time => Some(4),
            Self::TaskId => Some(12),
            Self::String | Self::Unspec | Self::NamedVariable | Self::NamedArray => None,
        }
    }

    /// The specification's name of the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Char => "CHAR",
            Self::UChar => "UCHAR",
            Self::Short => "SHORT",
            Self::UShort => "USHORT",
            Self::Int => "INT",
            Self::UInt => "UINT",
            Self::Bool => "BOOL",
            Self::Time => "TIME",
            Self::String => "STRING",
            Self::Unspec => "UNSPEC",
            Self::NamedVariable => "NAMEDVAR",
            Self::NamedArray => "NAMEDARRAY",
            Self::TaskId => "TASKID",
        }
    }
}

/// Whether a value table lists values or bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// One value at a time.
    Enum,
    /// Each entry is one bit; a value is the sum of some.
    Mask,
}

/// One entry of a value table.
#[derive(Debug, PartialEq, Eq)]
pub struct Value {
    /// The value, or the bit.
    pub number: u32,
    /// The specification's symbol, where it has one.
    pub symbol: Option<&'static str>,
    /// The symbol, or else the label.
    pub text: &'static str,
    /// `text` without the prefix that all symbols of the table share.
    pub short: &'static str,
    /// `text` as a JSON string, quotes included.
    pub json: &'static str,
    /// How the value's JSON object begins; what is special about it may follow, then the closing brace.
    pub json_object: &'static str,
    /// What it means.
    pub label: Option<&'static str>,
    /// First protocol version with it, where known.
    pub since: Option<u8>,
    /// A remark on the entry's certainty.
    pub note: Option<&'static str>,
}

/// The values of an enumerated field, or the bits of a mask, in rising order.
#[derive(Debug, PartialEq, Eq)]
pub struct ValueTable {
    /// Name of the table; the field's own name for a table that serves one field only.
    pub name: &'static str,
    /// Values or bits.
    pub kind: TableKind,
    /// Sorted by number.
    pub values: &'static [Value],
}

impl ValueTable {
    /// The entry for a value (or for a single bit); `None` when the table does not list it.
    #[must_use]
    pub fn get(&self, number: u32) -> Option<&'static Value> {
        // Many tables count from 0 without a hole.
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(value) = self.values.get(at)
            && value.number == number
        {
            return Some(value);
        }
        let index = self
            .values
            .binary_search_by_key(&number, |v| v.number)
            .ok()?;
        self.values.get(index)
    }

    /// The bits of `value` that the table names, lowest first.
    pub fn bits(&self, value: u32) -> impl Iterator<Item = &'static Value> + use<> {
        self.values.iter().filter(move |v| v.number & value != 0)
    }

    /// The bits of `value` that the table does not name.
    #[must_use]
    pub fn unknown_bits(&self, value: u32) -> u32 {
        self.values.iter().fold(value, |rest, v| rest & !v.number)
    }
}

/// A value with a meaning of its own for some fields, such as NULL_CALL_ID.
#[derive(Debug, PartialEq, Eq)]
pub struct Special {
    /// The specification's symbol, where it has one.
    pub name: Option<&'static str>,
    /// The value, as the field's bits (0xFFFFFFFF also stands for -1 of a signed field).
    pub value: u32,
    /// What it means.
    pub label: &'static str,
    /// Everyday value: not worth a word outside of details.
    pub quiet: bool,
}

impl Special {
    /// The symbol, or else the label.
    #[must_use]
    pub fn text(&self) -> &'static str {
        self.name.unwrap_or(self.label)
    }
}

/// A field of the fixed part in one layout.
#[derive(Debug, PartialEq, Eq)]
pub struct FixedField {
    /// Name by the specification.
    pub name: &'static str,
    /// `,"name":`, as JSON has it before the value; the first field of an object goes without the comma.
    pub json: &'static str,
    /// Type; always one with a fixed size.
    pub wire: WireType,
    /// Bytes from the end of the header.
    pub offset: u16,
    /// Names of its values or bits.
    pub table: Option<&'static ValueTable>,
    /// Its NULL value.
    pub special: Option<&'static Special>,
    /// First protocol version with it.
    pub since: Option<u8>,
    /// Last protocol version with it.
    pub until: Option<u8>,
    /// `since` was deduced from editions; no text states it.
    pub inferred: bool,
    /// A condition under which the value counts.
    pub when: Option<&'static str>,
}

/// A floating field by its tag; one definition serves every message.
#[derive(Debug, PartialEq, Eq)]
pub struct FloatingField {
    /// Tag number.
    pub tag: u16,
    /// Name of the tag in the specification's table.
    pub constant: &'static str,
    /// Usual name; a message may call it otherwise.
    pub name: &'static str,
    /// How its JSON object begins, a comma before it included: tag and usual name.
    pub json: &'static str,
    /// Other names in messages.
    pub also: &'static [&'static str],
    /// Type; `None` for tags of unpublished messages only.
    pub wire: Option<WireType>,
    /// Largest length of the data in bytes, terminating zero included.
    pub max: Option<u16>,
    /// Smaller maxima of older versions: (last version, maximum), oldest first.
    pub sizes: &'static [(u8, u16)],
    /// A length that is a multiple of the type's size holds several elements.
    pub array: bool,
    /// Masked in output unless asked for.
    pub secret: bool,
    /// Names of its values or bits.
    pub table: Option<&'static ValueTable>,
    /// Its NULL value.
    pub special: Option<&'static Special>,
    /// First protocol version with it.
    pub since: Option<u8>,
    /// Last protocol version with it.
    pub until: Option<u8>,
    /// Messages that the tag table names though no layout shows them.
    pub listed_for: &'static [&'static str],
    /// Remarks.
    pub notes: Option<&'static str>,
}

impl FloatingField {
    /// The largest length of the data at one protocol version.
    #[must_use]
    pub fn max_at(&self, version: u8) -> Option<u16> {
        self.sizes
            .iter()
            .find(|(until, _)| version <= *until)
            .map(|(_, max)| *max)
            .or(self.max)
    }
}

/// A floating field as one message uses it.
#[derive(Debug, PartialEq, Eq)]
pub struct FloatingUse {
    /// Its definition.
    pub field: &'static FloatingField,
    /// Name in this message.
    pub name: &'static str,
    /// How its JSON object begins, a comma before it included: tag and name in this message.
    pub json: &'static str,
    /// Its NULL value under this name.
    pub special: Option<&'static Special>,
    /// May be left out.
    pub optional: bool,
    /// First protocol version with it in this message.
    pub since: Option<u8>,
    /// Last protocol version with it in this message.
    pub until: Option<u8>,
    /// `since` was deduced from editions; no text states it.
    pub inferred: bool,
    /// A condition, for people.
    pub when: Option<&'static str>,
    /// Only the tag table says that this message may carry it.
    pub listed_only: bool,
    /// Counter of the list of which it is part.
    pub repeat: Option<&'static str>,
    /// Counter of its elements, for an array.
    pub count: Option<&'static str>,
    /// Index into the message's lists.
    pub list: Option<usize>,
    /// May repeat within one entry of its list.
    pub nested: bool,
    /// Added by the server when it passes the message on.
    pub server_only: bool,
    /// Least and largest length (bytes) of which nothing can be said: the field is in this message in every version, has no
    /// table, and data of such a length suits it. `None` where every field has to be looked at.
    pub plain: Option<(u16, u16)>,
}

impl FloatingUse {
    /// Whether data of this length is all right by its length alone, in any version.
    #[must_use]
    pub fn is_plain(&self, length: usize) -> bool {
        self.plain
            .is_some_and(|(least, most)| (usize::from(least)..=usize::from(most)).contains(&length))
    }

    /// Whether this message has the field at a protocol version.
    #[must_use]
    pub fn exists_at(&self, version: u8) -> bool {
        self.since.is_none_or(|s| s <= version) && self.until.is_none_or(|u| version <= u)
    }
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

/// A protocol version and what it brought.
#[derive(Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// The number in OPEN_REQ.
    pub number: u8,
    /// The product release that speaks it, where stated.
    pub release: Option<&'static str>,
    /// What changed, a line each.
    pub changes: &'static [&'static str],
    /// Remarks.
    pub notes: &'static [&'static str],
}
