//! The tags of one object, read by key.

/// Keys and values of one object, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tags<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Tags<'a> {
    /// The value of a key, without the spaces around it; the first one if the key stands there twice.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, value)| value.trim())
    }

    /// The value of a key with a suffix such as `:forward`.
    pub(crate) fn value_of_directed(&self, key: &str, suffix: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(k, _)| k.strip_suffix(suffix) == Some(key))
            .map(|(_, value)| value.trim())
    }

    /// The first of several keys that has a value which is not empty.
    pub(crate) fn first_of(&self, keys: &[&str]) -> Option<&'a str> {
        keys.iter()
            .find_map(|key| self.value(key).filter(|value| !value.is_empty()))
    }

    /// Whether a key has one of the given values.
    pub(crate) fn is_any(&self, key: &str, values: &[&str]) -> bool {
        self.value(key).is_some_and(|value| values.contains(&value))
    }

    /// Whether a key is there with any value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// All keys with what stands after `prefix` in them, and their values.
    pub(crate) fn after(&self, prefix: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0
            .iter()
            .filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.trim())))
    }

    /// All keys in the order of the file.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().map(|(key, _)| *key)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Tags<'a> {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(tags: I) -> Self {
        Self(tags.into_iter().collect())
    }
}
