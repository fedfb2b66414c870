//! Where one statement ends and the next begins: at a `;` that is in no text, no name and no comment.

/// The statements that end within `text`, and what comes after the last.
pub(super) fn statements(text: &str) -> (Vec<&str>, &str) {
    let mut found = Vec::new();
    let mut begin = 0;
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    while let Some(byte) = scan.next() {
        if byte == b';' {
            let statement = &text[begin..scan.at - 1];
            if !is_blank(statement) {
                found.push(statement);
            }
            begin = scan.at;
        }
    }
    (found, &text[begin..])
}

/// Is there nothing but space and comments?
pub(super) fn is_blank(text: &str) -> bool {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    std::iter::from_fn(|| scan.next()).all(|byte| byte.is_ascii_whitespace())
}

/// Gives the bytes of a text that are neither quoted nor commented; of a quoted part, its first quote.
struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            match (byte, self.bytes.get(self.at)) {
                (b'\'' | b'"', _) => {
                    self.skip_past(&[byte]);
                    return Some(byte);
                }
                (b'-', Some(b'-')) => self.skip_past(b"\n"),
                (b'/', Some(b'*')) => {
                    self.at += 1;
                    self.skip_past(b"*/");
                }
                _ => return Some(byte),
            }
        }
    }

    /// Goes behind the next `end`, or to the end of the text. A doubled quote ends one part and begins the next.
    fn skip_past(&mut self, end: &[u8]) {
        let found = self.bytes[self.at..].windows(end.len()).position(|window| window == end);
        self.at = found.map_or(self.bytes.len(), |found| self.at + found + end.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_unless_it_is_quoted_or_commented() {
        let text = "SELECT ';', \"a;b\", 'it''s; fine' -- no; end\n FROM t; /* ; */ ;\nSELECT 2;  -- rest";
        let (found, rest) = statements(text);
        assert_eq!(found, ["SELECT ';', \"a;b\", 'it''s; fine' -- no; end\n FROM t", "\nSELECT 2"]);
        assert!(is_blank(rest), "{rest:?}");
    }

    #[test]
    fn what_is_not_ended_is_the_rest() {
        for text in ["SELECT 1", "SELECT ';", "SELECT /* ;", "SELECT \";"] {
            assert_eq!(statements(text), (vec![], text));
        }
        assert_eq!(statements("SELECT 1; SELECT"), (vec!["SELECT 1"], " SELECT"));
        assert!(is_blank("") && is_blank(" \n/* x */ -- y") && !is_blank("x"));
    }
}
