//! Many short texts in one, each once.

use std::collections::BTreeMap;

/// Texts by number; number 0 is the empty text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names {
    /// All of them, one after the other.
    pub(crate) text: String,
    /// Where each ends.
    pub(crate) end: Vec<u32>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            text: String::new(),
            end: vec![0],
        }
    }
}

impl Names {
    /// Texts from their bytes and ends; the answer names the entry that does not end within the text, after the one
    /// before it and between two characters.
    pub(crate) fn from_ends(text: String, end: Vec<u32>) -> Result<Self, usize> {
        let mut last = 0;
        for (index, &end) in end.iter().enumerate() {
            if end < last || !text.is_char_boundary(end as usize) {
                return Err(index);
            }
            last = end;
        }
        if end.first() != Some(&0) || last as usize != text.len() {
            return Err(end.len().saturating_sub(1));
        }
        Ok(Self { text, end })
    }

    pub(crate) fn len(&self) -> usize {
        self.end.len()
    }

    pub(crate) fn at(&self, number: u32) -> &str {
        let start = number
            .checked_sub(1)
            .map_or(0, |before| self.end[before as usize]);
        &self.text[start as usize..self.end[number as usize] as usize]
    }
}

/// Gives equal texts one number.
#[derive(Default)]
pub(crate) struct NameCollector {
    names: Names,
    numbers: BTreeMap<String, u32>,
}

impl NameCollector {
    /// The number of a text; `None` where all texts together would pass 4 GiB.
    pub(crate) fn number(&mut self, name: &str) -> Option<u32> {
        if name.is_empty() {
            return Some(0);
        }
        if let Some(&number) = self.numbers.get(name) {
            return Some(number);
        }
        let end = u32::try_from(self.names.text.len() + name.len()).ok()?;
        let number = u32::try_from(self.names.len()).ok()?;
        self.names.text.push_str(name);
        self.names.end.push(end);
        self.numbers.insert(name.to_owned(), number);
        Some(number)
    }

    pub(crate) fn finish(self) -> Names {
        self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number() {
        let mut collector = NameCollector::default();
        let numbers = ["Rua A", "", "Rua Ã", "Rua A"].map(|name| collector.number(name));
        assert_eq!(numbers, [Some(1), Some(0), Some(2), Some(1)]);
        let names = collector.finish();
        assert_eq!(
            [0, 1, 2].map(|number| names.at(number)),
            ["", "Rua A", "Rua Ã"]
        );
    }

    #[test]
    fn ends_must_ascend_within_the_text() {
        let from = |ends: &[u32]| Names::from_ends("aÃ".to_owned(), ends.to_vec());
        assert!(from(&[0, 1, 3]).is_ok());
        assert_eq!(from(&[0, 2, 3]), Err(1));
        assert_eq!(from(&[0, 3, 1]), Err(2));
        assert_eq!(from(&[0, 1]), Err(1));
        assert_eq!(from(&[]), Err(0));
    }
}
