//! Who a virtual user is: the variables that each has without asking. Whatever else sets a variable of the same name (the
//! plan, its data, a flag, a capture) hides the built-in one, for `user` is a common word in journeys.

use super::number::Number;
use super::value::Value;
use std::net::Ipv4Addr;

/// First address of 198.18.0.0/15, which RFC 2544 sets aside for benchmarks: no real client has one of these.
const FIRST: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// How many there are.
const ADDRESSES: u32 = 1 << 17;

/// The built-in variables of one virtual user.
#[derive(Debug)]
pub struct Who {
    number: Value,
    address: Value,
}

/// Their names and meanings, for the reference.
pub const BUILT_IN: [(&str, &str); 2] = [
    ("user", "the virtual user's number, from 1"),
    (
        "user_address",
        "an IPv4 address of its own, the same for the whole run: 198.18.0.0 plus its number, of the range for benchmarks (RFC 2544)",
    ),
];

impl Who {
    /// The user of that number, from 1.
    #[must_use]
    pub fn new(number: usize) -> Self {
        let wrapped = u32::try_from(number).unwrap_or(u32::MAX) % ADDRESSES;
        let number = Value::Number(Number::Integer(i64::try_from(number).unwrap_or(i64::MAX)));
        Self { number, address: Value::text(Ipv4Addr::from(FIRST + wrapped).to_string()) }
    }

    /// The built-in variable of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        match name {
            "user" => Some(&self.number),
            "user_address" => Some(&self.address),
            _ => None,
        }
    }
}

impl Default for Who {
    /// A user alone is the first.
    fn default() -> Self {
        Self::new(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_user_has_a_number_and_an_address_of_its_own() {
        let text = |number, name| Who::new(number).get(name).unwrap().render().unwrap().into_owned();
        assert_eq!((text(1, "user"), text(1, "user_address")), ("1".to_owned(), "198.18.0.1".to_owned()));
        assert_eq!(text(256, "user_address"), "198.18.1.0");
        assert_eq!(text(50_000, "user_address"), "198.18.195.80");
        let all: HashSet<String> = (1..=crate::limits::USERS).map(|number| text(number, "user_address")).collect();
        assert_eq!(all.len(), crate::limits::USERS);
        assert_eq!(text(usize::MAX, "user_address"), "198.19.255.255");
        assert!(
            Who::default().get("users").is_none() && BUILT_IN.iter().all(|(name, _)| Who::new(1).get(name).is_some())
        );
    }
}
