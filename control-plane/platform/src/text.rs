//! What text from outside may be: one function for every text field of every request.
//!
//! Text is brought to Unicode normalization form C and loses the white space around it. It is refused when it holds a control
//! character (NUL, line breaks, escape, …), a line or paragraph separator, or a character that reorders what stands around it
//! (bidirectional embeddings, overrides and isolates); when it begins with a combining mark, which would change what stands
//! before it; when it has nothing visible; or when it is too long. Lengths are in characters (Unicode scalar values), counted
//! afterwards. So both databases take it, and no name can disguise the line of a log or a page that it stands in.

use std::ops::RangeInclusive;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::problem::Problem;

/// The longest text that is looked at, in bytes a character: more than any character takes, with room for what NFC joins.
const BYTES_PER_CHAR_MAX: usize = 32;

/// Why a text is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A control character, a separator of lines, or one that reorders text.
    #[error(
        "character {at} is U+{code:04X}: control characters, line breaks and bidirectional overrides are not allowed"
    )]
    Forbidden {
        /// Which character, counted from 1.
        at: usize,
        /// Its code point.
        code: u32,
    },
    /// It begins with a combining mark.
    #[error("it begins with the combining mark U+{0:04X}: put a letter before it")]
    LoneMark(u32),
    /// Nothing in it can be seen.
    #[error("it is empty or holds nothing visible, at least {min} characters are needed")]
    Empty {
        /// The fewest characters.
        min: usize,
    },
    /// Too many characters.
    #[error("it has {chars} characters, at most {max} are allowed")]
    TooLong {
        /// How many it has.
        chars: usize,
        /// The most.
        max: usize,
    },
}

/// Text as it is stored, or why it is not taken. `chars`: how many characters it may have.
///
/// # Errors
/// See [`TextError`].
pub fn checked(text: &str, chars: RangeInclusive<usize>) -> Result<String, TextError> {
    let (min, max) = (*chars.start(), *chars.end());
    // Bounds the work on what is far too long in any case.
    if text.len() > max.saturating_mul(BYTES_PER_CHAR_MAX).max(1_024) {
        return Err(TextError::TooLong {
            chars: text.chars().count(),
            max,
        });
    }
    if let Some((index, letter)) = text
        .chars()
        .enumerate()
        .find(|(_, letter)| is_forbidden(*letter))
    {
        return Err(TextError::Forbidden {
            at: index + 1,
            code: u32::from(letter),
        });
    }
    let composed: String = text.nfc().collect();
    let trimmed = composed.trim();
    if let Some(mark) = trimmed
        .chars()
        .next()
        .filter(|letter| is_combining_mark(*letter))
    {
        return Err(TextError::LoneMark(u32::from(mark)));
    }
    let count = trimmed.chars().count();
    if count > max {
        return Err(TextError::TooLong { chars: count, max });
    }
    let is_visible = trimmed.chars().any(|letter| !is_invisible(letter));
    if count < min || (count > 0 && !is_visible) {
        return Err(TextError::Empty { min: min.max(1) });
    }
    Ok(trimmed.to_owned())
}

/// The same for a field of a request: 422 with `code` and the field's name.
///
/// # Errors
/// A problem body that says what is wrong with the field.
pub fn checked_field(
    text: &str,
    chars: RangeInclusive<usize>,
    code: &'static str,
    field: &'static str,
) -> Result<String, Problem> {
    checked(text, chars)
        .map_err(|error| Problem::unprocessable(code, format!("{field}: {error}")).param(field))
}

/// The same for a query parameter: 400.
///
/// # Errors
/// A problem body that says what is wrong with the parameter.
pub fn checked_query(
    text: &str,
    chars: RangeInclusive<usize>,
    parameter: &'static str,
) -> Result<String, Problem> {
    checked(text, chars).map_err(|error| {
        Problem::bad_request("invalid_query", format!("{parameter}: {error}")).param(parameter)
    })
}

/// Text without the difference of upper and lower case, to compare and search with: the same in Rust for both databases.
///
/// Each letter is mapped to lower case, upper case and lower case again, without looking at its neighbours, so `ẞ`, `ß` and
/// `SS` become `ss`, all sigmas one, and `İ`, `I`, `ı` and `i` one: the dot above an `i` is dropped.
#[must_use]
pub fn folded(text: &str) -> String {
    let lower = text
        .nfc()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    let mut folded = String::with_capacity(text.len());
    for letter in lower {
        if letter != '\u{307}' || !folded.ends_with('i') {
            folded.push(letter);
        }
    }
    folded.nfc().collect()
}

/// Control characters, separators of lines and paragraphs, and what reorders text (UAX 9: embeddings, overrides, isolates).
fn is_forbidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// Characters that show nothing by themselves: blanks, joiners and marks of direction.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || is_combining_mark(letter)
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
                | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{ffa0}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::{TextError, checked, folded};

    #[test]
    fn text_is_composed_and_trimmed() {
        for (given, stored) in [
            ("  Nenu \u{a0}", "Nenu"),
            ("cafe\u{301}", "café"),
            ("Ħaż-Żebbuġ", "Ħaż-Żebbuġ"),
            ("🍕 👩‍🍳", "🍕 👩‍🍳"),
            ("مطعم\u{200f}", "مطعم\u{200f}"),
        ] {
            assert_eq!(checked(given, 1..=20).as_deref(), Ok(stored), "{given:?}");
        }
        assert_eq!(checked("  ", 0..=20).as_deref(), Ok(""));
    }

    #[test]
    fn what_disguises_or_breaks_a_line_is_refused() {
        for bad in [
            '\0', '\r', '\n', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}',
            '\u{2066}', '\u{feff}',
        ] {
            let expected = Err(TextError::Forbidden {
                at: 3,
                code: u32::from(bad),
            });
            assert_eq!(checked(&format!("ab{bad}c"), 1..=20), expected);
            // Not even at the ends, where it would be trimmed.
            assert!(checked(&format!("abc{bad}"), 1..=20).is_err());
        }
        assert_eq!(checked("\u{301}a", 1..=20), Err(TextError::LoneMark(0x301)));
        assert_eq!(
            checked(" \u{20dd}", 1..=20),
            Err(TextError::LoneMark(0x20dd))
        );
        for empty in ["", "   ", "\u{200b}", "\u{ad}\u{2060}"] {
            assert_eq!(
                checked(empty, 1..=20),
                Err(TextError::Empty { min: 1 }),
                "{empty:?}"
            );
        }
    }

    #[test]
    fn lengths_are_in_characters_of_the_stored_text() {
        for letter in ["a", "é", "e\u{301}", "🍕"] {
            assert!(checked(&letter.repeat(20), 1..=20).is_ok(), "{letter}");
            assert_eq!(
                checked(&letter.repeat(21), 1..=20),
                Err(TextError::TooLong { chars: 21, max: 20 }),
                "{letter}"
            );
        }
        assert!(matches!(
            checked(&"a".repeat(1 << 20), 1..=20),
            Err(TextError::TooLong { .. })
        ));
    }

    #[test]
    fn case_is_folded_without_a_language() {
        for (one, other) in [
            ("café", "CAFÉ"),
            ("cafe\u{301}", "CAFÉ"),
            ("Straße", "STRASSE"),
            ("STRAẞE", "strasse"),
            ("İstanbul", "istanbul"),
            ("ISPARTA", "ısparta"),
            ("ΟΔΟΣ", "οδος"),
            ("οδοσ", "οδος"),
            ("Ħobża", "ĦOBŻA"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("café"), folded("cafe"), "an accent is no case");
    }
}
