//! The one list of the policy's fields: each with its unit, range, default and what raising does, for whoever reads
//! settings or writes documentation.

use doorstep_routing::Distance;

use crate::{Bundling, Matching, PolicyError, Span};

/// Milliseconds of an hour.
pub(crate) const HOUR: u64 = 3_600_000;
/// Milliseconds of a day.
pub(crate) const DAY: u64 = 24 * HOUR;

/// What the number of a field counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds of the city's clock.
    Milliseconds,
    /// A distance in millimetres.
    Millimetres,
    /// Millimetres a second.
    MillimetresPerSecond,
    /// A share in thousandths, 0 to 1000.
    Permille,
    /// A number of things, which the name says.
    Count,
    /// One of the names in [`PolicyField::names`], by its place there.
    Name,
}

/// One field of a struct of settings.
#[derive(Debug, Clone, Copy)]
pub struct PolicyField<S: 'static> {
    /// Its name, below the policy: `offer_window`, `dwells.parking`.
    pub name: &'static str,
    /// What its number counts.
    pub unit: Unit,
    /// The smallest number that works.
    pub min: u64,
    /// The largest number that makes sense.
    pub max: u64,
    /// The names of a [`Unit::Name`]; else empty.
    pub names: &'static [&'static str],
    /// Reads the number.
    pub read: fn(&S) -> u64,
    /// Sets the number; what the field's type cannot hold becomes the nearest that it can.
    pub write: fn(&mut S, u64),
}

/// A struct of settings whose fields are listed.
pub trait PolicyFields: Sized + 'static {
    /// All fields that are one number or name, in the order of the struct.
    const FIELDS: &'static [PolicyField<Self>];
    /// Name and documentation of every field: what it is and what raising does.
    const ABOUT: &'static [(&'static str, &'static str)];

    /// The documentation of one field; empty for a name that there is not.
    #[must_use]
    fn about(name: &str) -> &'static str {
        let found = Self::ABOUT.iter().find(|(field, _)| *field == name);
        found.map_or("", |(_, about)| about)
    }
}

/// A type that a field may have.
pub(crate) trait FieldValue: Copy {
    const NAMES: &'static [&'static str] = &[];
    fn number(self) -> u64;
    fn of(number: u64) -> Self;
}

impl FieldValue for Span {
    fn number(self) -> u64 {
        self.as_millis()
    }
    fn of(number: u64) -> Self {
        Self::from_millis(number)
    }
}

impl FieldValue for Distance {
    fn number(self) -> u64 {
        self.as_millimetres()
    }
    fn of(number: u64) -> Self {
        Self::from_millimetres(number)
    }
}

impl FieldValue for u32 {
    fn number(self) -> u64 {
        u64::from(self)
    }
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

impl FieldValue for u64 {
    fn number(self) -> u64 {
        self
    }
    fn of(number: u64) -> Self {
        number
    }
}

impl FieldValue for usize {
    fn number(self) -> u64 {
        u64::try_from(self).unwrap_or(u64::MAX)
    }
    fn of(number: u64) -> Self {
        Self::try_from(number).unwrap_or(Self::MAX)
    }
}

/// The place of a value in the list of all its kind; a number beyond the list is the last.
macro_rules! by_place {
    ($type:ty, [$($name:literal),+]) => {
        impl FieldValue for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];
            fn number(self) -> u64 {
                let place = Self::ALL.iter().position(|one| *one == self);
                place.unwrap_or(0).number()
            }
            fn of(number: u64) -> Self {
                let last = Self::ALL.len() - 1;
                Self::ALL[usize::of(number).min(last)]
            }
        }
    };
}

by_place!(Matching, ["nearest", "mdrp", "foodmatch", "doorstep"]);
by_place!(Bundling, ["never", "one-restaurant", "across-restaurants"]);

/// Declares a struct of settings: each row is documentation, name, type, default, unit and range; a row without unit is no
/// single number and stands in no list. From the rows come the struct, its default and its [`PolicyFields`].
macro_rules! policy_fields {
    (
        $(#[$meta:meta])*
        pub struct $name:ident in $prefix:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident: $type:ty = $default:expr $(, $unit:ident, $min:literal..=$max:expr)?;
            )*
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $crate::policy_fields::PolicyFields for $name {
            const FIELDS: &'static [$crate::policy_fields::PolicyField<Self>] = &[
                $( $( $crate::policy_fields::PolicyField {
                    name: concat!($prefix, stringify!($field)),
                    unit: $crate::policy_fields::Unit::$unit,
                    min: $min,
                    max: $max,
                    names: <$type as $crate::policy_fields::FieldValue>::NAMES,
                    read: |settings| $crate::policy_fields::FieldValue::number(settings.$field),
                    write: |settings, number| {
                        settings.$field = $crate::policy_fields::FieldValue::of(number);
                    },
                }, )? )*
            ];
            const ABOUT: &'static [(&'static str, &'static str)] = &[
                $( (concat!($prefix, stringify!($field)), concat!($($doc),+)), )*
            ];
        }
    };
}
pub(crate) use policy_fields;

/// Checks that no field is zero that must not be. How large a field may be is for whoever reads settings to check: a larger
/// number makes no sense, and works.
pub(crate) fn check_positive<S: PolicyFields>(settings: &S) -> Result<(), PolicyError> {
    let zero = |field: &&PolicyField<S>| (field.read)(settings) < field.min;
    match S::FIELDS.iter().find(zero) {
        Some(field) => Err(PolicyError::Zero { field: field.name }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{FieldValue, PolicyFields};
    use crate::{AdvicePolicy, Bundling, Dwells, Matching, Policy};

    fn check_list<S: PolicyFields + Default>() {
        for field in S::FIELDS {
            let mut settings = S::default();
            let usual = (field.read)(&settings);
            assert!(
                (field.min..=field.max).contains(&usual),
                "{}: {usual}",
                field.name
            );
            assert!(field.min <= 1, "{}: the message names zero", field.name);
            for number in [field.min, field.max] {
                (field.write)(&mut settings, number);
                assert_eq!((field.read)(&settings), number, "{}", field.name);
            }
            assert!(S::about(field.name).trim().ends_with('.'), "{}", field.name);
        }
    }

    #[test]
    fn every_field_holds_the_ends_of_its_range_and_its_default_is_within() {
        check_list::<Policy>();
        check_list::<Dwells>();
        check_list::<AdvicePolicy>();
    }

    #[test]
    fn names_are_those_of_the_values() {
        let names: Vec<&str> = Matching::ALL.iter().map(|one| one.name()).collect();
        assert_eq!(names, <Matching as FieldValue>::NAMES);
        let names: Vec<&str> = Bundling::ALL.iter().map(|one| one.name()).collect();
        assert_eq!(names, <Bundling as FieldValue>::NAMES);
    }
}
