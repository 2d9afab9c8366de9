//! Rust source, with what is not code blanked out.
//!
//! Knows comments, strings and characters well enough to tell code from text; it is no parser.

/// `source` with comments and literals replaced by spaces. Lines keep their numbers.
pub(crate) fn code_only(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let literal = (!is_word(before)).then(|| raw_string(rest)).flatten();
        let length = literal.or_else(|| comment(rest)).or_else(|| quoted(rest)).unwrap_or(0);
        if length == 0 {
            code.push(first);
            before = first;
            rest = &rest[first.len_utf8()..];
        } else {
            let (text, after) = rest.split_at(length);
            code.extend(text.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
            before = ' ';
            rest = after;
        }
    }
    code
}

/// Whether `word` stands in `code` by itself.
pub(crate) fn has_word(code: &str, word: &str) -> bool {
    code.split(|letter| !is_word(letter)).any(|found| found == word)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Length of the comment that `text` starts with; block comments nest.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    Some(text.len())
}

/// Length of the string or character literal that `text` starts with. A lifetime is not one.
fn quoted(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|letter| ['"', '\''].contains(letter))?;
    let mut letters = text.char_indices().skip(1);
    if quote == '\'' {
        let (_, first) = letters.next()?;
        if first != '\\' {
            let (at, second) = letters.next()?;
            return (second == '\'').then_some(at + 1);
        }
        letters.next();
    }
    while let Some((at, letter)) = letters.next() {
        if letter == '\\' {
            letters.next();
        } else if letter == quote {
            return Some(at + 1);
        }
    }
    Some(text.len())
}

/// Length of the raw string (`r"…"`, `br#"…"#`, …) that `text` starts with.
fn raw_string(text: &str) -> Option<usize> {
    let after_r =
        text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let inside = after_r.trim_start_matches('#');
    let hashes = after_r.len() - inside.len();
    let inside = inside.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inside.len();
    Some(inside.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_is_found_in_code_only() {
        for (name, source, expected) in [
            ("a block", "fn f() { unsafe { g() } }", true),
            ("a line comment", "// unsafe\nfn f() {}", false),
            ("a nested block comment", "/* a /* unsafe */ unsafe */ fn f() {}", false),
            ("after a comment", "/* safe */ unsafe fn f() {}", true),
            ("a string", r#"let s = "unsafe \" unsafe";"#, false),
            ("a raw string", r##"let s = r#"unsafe " unsafe"#;"##, false),
            ("after a raw string", r##"let s = r#"""#; unsafe {}"##, true),
            ("a name that ends in r", "let ptr = 1; unsafe {}", true),
            ("a longer name", "#![forbid(unsafe_code)]", false),
            ("a character", "let c = '\"'; unsafe {} // \"", true),
            ("an escaped quote", r"let c = '\''; unsafe {}", true),
            ("a lifetime", "fn f<'a>(x: &'a str) { unsafe {} }", true),
            ("an open string", "let s = \"unsafe", false),
        ] {
            assert_eq!(has_word(&code_only(source), "unsafe"), expected, "{name}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let code = code_only("/* é\n*/ \"a\nb\"\nunsafe");
        assert_eq!(code.lines().position(|line| has_word(line, "unsafe")), Some(3));
    }
}
