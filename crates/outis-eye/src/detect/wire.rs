//! The wire format of protocol buffers, as far as it takes to change some fields of a message and keep the rest to the bit;
//! and where an ONNX file keeps its graph.

/// `ModelProto.graph`.
pub(super) const GRAPH: u64 = 7;

/// Seven bits a byte.
const NUMBER: u64 = 0;
/// How many bytes follow, then the bytes.
const LENGTH_DELIMITED: u64 = 2;

/// One field of a message.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u64,
    /// When it is a number.
    pub(super) value: Option<u64>,
    /// When it is a text, bytes or a message; else nothing.
    pub(super) content: &'a [u8],
    /// All of it, as it stands.
    whole: &'a [u8],
}

/// The fields of a message, in their order; `None` when it is none.
pub(super) fn fields(mut message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let start = message;
        let key = varint(&mut message)?;
        let (number, wire) = (key >> 3, key & 7);
        let (mut value, mut content) = (None, &[][..]);
        match wire {
            NUMBER => value = Some(varint(&mut message)?),
            1 => drop(take(&mut message, 8)?),
            LENGTH_DELIMITED => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                content = take(&mut message, length)?;
            }
            5 => drop(take(&mut message, 4)?),
            _ => return None,
        }
        fields.push(Field { number, value, content, whole: &start[..start.len() - message.len()] });
    }
    Some(fields)
}

/// All numbers of a field, one a field or packed; `None` when what is packed is none.
pub(super) fn numbers(fields: &[Field<'_>], number: u64) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for field in fields.iter().filter(|field| field.number == number) {
        numbers.extend(field.value);
        let mut packed = field.content;
        while !packed.is_empty() {
            numbers.push(varint(&mut packed)?);
        }
    }
    Some(numbers)
}

/// What becomes of a field.
pub(super) enum Edit {
    Keep,
    Drop,
    /// New content of a length-delimited field; `None` when the old one was no message.
    Replace(Option<Vec<u8>>),
}

/// Copies a message field by field; `None` when it is none.
pub(super) fn rewrite(message: &[u8], edit: &mut dyn FnMut(&Field<'_>) -> Edit) -> Option<Vec<u8>> {
    let mut written = Vec::with_capacity(message.len());
    for field in fields(message)? {
        match edit(&field) {
            Edit::Keep => written.extend_from_slice(field.whole),
            Edit::Drop => {}
            Edit::Replace(content) => push(&mut written, field.number, &content?),
        }
    }
    Some(written)
}

/// Copies an ONNX file, and its graph field by field.
pub(super) fn rewrite_graph(model: &[u8], edit: &mut dyn FnMut(&Field<'_>) -> Edit) -> Option<Vec<u8>> {
    rewrite(model, &mut |field| match field.number {
        GRAPH => Edit::Replace(rewrite(field.content, edit)),
        _ => Edit::Keep,
    })
}

/// Adds a field with a content.
pub(super) fn push(message: &mut Vec<u8>, number: u64, content: &[u8]) {
    push_varint(message, number << 3 | LENGTH_DELIMITED);
    push_varint(message, content.len() as u64);
    message.extend_from_slice(content);
}

/// Adds a field that is a number.
pub(super) fn push_number(message: &mut Vec<u8>, number: u64, value: u64) {
    push_varint(message, number << 3 | NUMBER);
    push_varint(message, value);
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn push_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A message of such fields.
#[cfg(test)]
pub(super) fn message(fields: &[(u64, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    fields.iter().for_each(|(number, content)| push(&mut bytes, *number, content));
    bytes
}
