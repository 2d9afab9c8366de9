//! The wire format of protocol buffers, as far as it takes to change some fields of a message and keep the rest to the bit.

/// Seven bits a byte.
const NUMBER: u64 = 0;
/// How many bytes follow, then the bytes.
const LENGTH_DELIMITED: u64 = 2;

/// What becomes of a field.
pub(super) enum Edit {
    Keep,
    Drop,
    /// New content of a length-delimited field; `None` when the old one was no message.
    Replace(Option<Vec<u8>>),
}

/// What stands before its content.
pub(super) struct Field {
    pub(super) number: u64,
    /// When it is a number.
    pub(super) value: Option<u64>,
}

/// Copies a message field by field. `edit` gets the content of length-delimited fields, and nothing of others.
pub(super) fn rewrite<'a>(
    mut message: &'a [u8],
    edit: &mut dyn FnMut(Field, &'a [u8]) -> Edit,
) -> Option<Vec<u8>> {
    let mut written = Vec::with_capacity(message.len());
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
        match edit(Field { number, value }, content) {
            Edit::Keep => written.extend_from_slice(&start[..start.len() - message.len()]),
            Edit::Drop => {}
            Edit::Replace(content) => push(&mut written, number, &content?),
        }
    }
    Some(written)
}

/// All numbers of a field, one a field or packed; `None` when it is no message.
pub(super) fn numbers(message: &[u8], number: u64) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    rewrite(message, &mut |field, mut content| {
        if field.number != number {
            return Edit::Keep;
        }
        numbers.extend(field.value);
        while !content.is_empty() {
            let Some(value) = varint(&mut content) else { return Edit::Replace(None) };
            numbers.push(value);
        }
        Edit::Keep
    })?;
    Some(numbers)
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
