//! Text of chain origin made safe to show: bounded, with control and direction characters escaped.
//!
//! Anybody can log any bytes. What reaches tables, terminals and pages must not move the cursor, turn the
//! direction of the line, hide characters, or be of any length.

/// Longest text of one field that is shown, in characters: room for a URN of 80 and its context.
pub(super) const MAX_SHOWN_CHARS: usize = 120;

/// `text` with at most `max` characters, control and invisible characters as `\u{…}`.
pub(super) fn shown(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    push_shown(&mut out, text, max);
    out
}

/// Appends `text` as [`shown`] gives it.
pub(super) fn push_shown(out: &mut String, text: &str, max: usize) {
    let mut chars = text.chars();
    for character in chars.by_ref().take(max) {
        if is_treacherous(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    if chars.next().is_some() {
        out.push('…');
    }
}

/// Control characters, line separators, direction marks and characters without width (Unicode TR 36, 39).
fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_text_stays_as_it_is() {
        assert_eq!(shown("Łódź 批号 A-1", 120), "Łódź 批号 A-1");
    }

    #[test]
    fn what_moves_the_cursor_or_turns_the_line_is_escaped() {
        assert_eq!(shown("a\u{1b}[2J\n\u{202e}b", 120), "a\\u{1b}[2J\\u{a}\\u{202e}b");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        assert_eq!(shown("abcdef", 3), "abc…");
        assert_eq!(shown("abc", 3), "abc");
    }
}
