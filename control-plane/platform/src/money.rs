//! Money in whole minor units, and shares of it that lose nothing to rounding.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An ISO 4217 code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// The euro, of 100 cents: the currency of a deployment that names none.
    pub const EUR: Self = Self(*b"EUR");

    /// Digits after the point, by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD; none for a code that is no currency in use.
    #[must_use]
    pub fn minor_digits(self) -> Option<u8> {
        let listed = |codes: &str| {
            let mut codes = codes.as_bytes().chunks(4).map(<[u8]>::trim_ascii_end);
            codes.any(|code| code == self.0)
        };
        [
            (2, TWO_DIGITS),
            (0, NO_DIGITS),
            (3, THREE_DIGITS),
            (4, FOUR_DIGITS),
        ]
        .into_iter()
        .find(|(_, codes)| listed(codes))
        .map(|(digits, _)| digits)
    }
}

/// Currencies in use without a minor unit: ISO 4217, list one.
const NO_DIGITS: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// With thousandths.
const THREE_DIGITS: &str = "BHD IQD JOD KWD LYD OMR TND";
/// With ten-thousandths: units of account.
const FOUR_DIGITS: &str = "CLF UYW";
/// With hundredths.
const TWO_DIGITS: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE \
                          CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD \
                          HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK \
                          MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD \
                          RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH \
                          USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

/// A text that is not three capital letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a currency code of three capital letters")]
pub struct CurrencyError(String);

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(CurrencyError(text.chars().take(16).collect())),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|&letter| write!(f, "{}", char::from(letter)))
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// An amount in the minor unit of its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Whole minor units (cents; won).
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    /// As people read it, such as `12.50 EUR`, `1250 JPY` or `1.250 KWD`; two digits for an unknown currency.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits().unwrap_or(2);
        let each = 10_u64.pow(u32::from(digits));
        let (whole, rest) = (
            self.minor.unsigned_abs() / each,
            self.minor.unsigned_abs() % each,
        );
        let sign = if self.minor < 0 { "-" } else { "" };
        match usize::from(digits) {
            0 => write!(f, "{sign}{whole} {}", self.currency),
            width => write!(f, "{sign}{whole}.{rest:0width$} {}", self.currency),
        }
    }
}

impl Money {
    /// An amount.
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

/// A rate in hundredths of a percent, at most 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasisPoints(u32);

impl BasisPoints {
    /// A rate; more than the whole counts as the whole.
    #[must_use]
    pub const fn new(points: u32) -> Self {
        Self(if points > 10_000 { 10_000 } else { points })
    }

    /// Splits an amount into this share, rounded half up, and the rest: the two always sum to the amount.
    #[must_use]
    pub fn split(self, amount_minor: i64) -> (i64, i64) {
        let exact = i128::from(amount_minor) * i128::from(self.0);
        let share = i64::try_from((exact + 5_000).div_euclid(10_000)).unwrap_or(amount_minor);
        (share, amount_minor - share)
    }
}

#[cfg(test)]
mod minor_digit_tests {
    use super::{Currency, Money};

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        let shown =
            |minor, code: &str| Money::new(minor, code.parse::<Currency>().unwrap()).to_string();
        assert_eq!(shown(1_250, "EUR"), "12.50 EUR");
        assert_eq!(shown(1_250, "JPY"), "1250 JPY");
        assert_eq!(shown(1_250, "KWD"), "1.250 KWD");
        assert_eq!(shown(5, "KWD"), "0.005 KWD");
        assert_eq!(shown(-5, "EUR"), "-0.05 EUR");
        assert_eq!(shown(12_345, "CLF"), "1.2345 CLF");
        assert_eq!("ZZZ".parse::<Currency>().unwrap().minor_digits(), None);
        assert_eq!("ZWG".parse::<Currency>().unwrap().minor_digits(), Some(2));
    }
}
