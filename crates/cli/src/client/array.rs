//! Objects, one a line, as one JSON array: the same bytes as if the array had been asked for.

use std::io::{Result, Write};

/// Writes lines on as elements.
pub(super) struct Array<'a> {
    out: &'a mut dyn Write,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing was written.
    Empty,
    /// Within a line.
    Within,
    /// A line has ended.
    Between,
}

impl<'a> Array<'a> {
    /// An array that goes to `out`.
    pub(super) fn begin(out: &'a mut dyn Write) -> Self {
        Self { out, state: State::Empty }
    }

    /// Ends it.
    pub(super) fn end(self) -> Result<()> {
        self.out.write_all(if self.state == State::Empty { b"[]\n" } else { b"]\n" })
    }
}

impl Write for Array<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match line {
                [text @ .., b'\n'] => (text, true),
                text => (text, false),
            };
            match self.state {
                State::Empty => self.out.write_all(b"[")?,
                State::Between => self.out.write_all(b",\n")?,
                State::Within => {}
            }
            self.out.write_all(text)?;
            self.state = if ends { State::Between } else { State::Within };
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_elements_wherever_they_are_cut() {
        for (lines, array) in
            [("", "[]\n"), ("{\"a\":1}\n", "[{\"a\":1}]\n"), ("{}\n{}\n{}\n", "[{},\n{},\n{}]\n")]
        {
            for cut in 0..=lines.len() {
                let mut out = Vec::new();
                let mut writer = Array::begin(&mut out);
                writer.write_all(&lines.as_bytes()[..cut]).unwrap();
                writer.write_all(&lines.as_bytes()[cut..]).unwrap();
                writer.end().unwrap();
                assert_eq!(String::from_utf8(out).unwrap(), array, "cut at {cut}");
            }
        }
    }
}
