//! The words of DNS: types, classes and response codes by number, as in the registries of IANA.

/// Types that a question may ask for by name; any other is written `TYPE123`.
const TYPES: &[(u16, &str)] = &[
    (1, "A"),
    (2, "NS"),
    (5, "CNAME"),
    (6, "SOA"),
    (12, "PTR"),
    (13, "HINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (24, "SIG"),
    (25, "KEY"),
    (28, "AAAA"),
    (29, "LOC"),
    (33, "SRV"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (39, "DNAME"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (49, "DHCID"),
    (50, "NSEC3"),
    (51, "NSEC3PARAM"),
    (52, "TLSA"),
    (53, "SMIMEA"),
    (55, "HIP"),
    (59, "CDS"),
    (60, "CDNSKEY"),
    (61, "OPENPGPKEY"),
    (62, "CSYNC"),
    (63, "ZONEMD"),
    (64, "SVCB"),
    (65, "HTTPS"),
    (99, "SPF"),
    (108, "EUI48"),
    (109, "EUI64"),
    (255, "ANY"),
    (256, "URI"),
    (257, "CAA"),
];

const CLASSES: &[(u16, &str)] = &[(1, "IN"), (2, "CS"), (3, "CH"), (4, "HS"), (254, "NONE"), (255, "ANY")];

const RCODES: &[(u16, &str)] = &[
    (0, "NOERROR"),
    (1, "FORMERR"),
    (2, "SERVFAIL"),
    (3, "NXDOMAIN"),
    (4, "NOTIMP"),
    (5, "REFUSED"),
    (6, "YXDOMAIN"),
    (7, "YXRRSET"),
    (8, "NXRRSET"),
    (9, "NOTAUTH"),
    (10, "NOTZONE"),
];

fn name(table: &[(u16, &'static str)], number: u16, other: &str) -> String {
    let known = table.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| format!("{other}{number}"), |(_, name)| (*name).to_owned())
}

fn number(table: &[(u16, &str)], written: &str, other: &str) -> Option<u16> {
    let known = table.iter().find(|(_, name)| name.eq_ignore_ascii_case(written)).map(|(number, _)| *number);
    let begin = written.get(..other.len()).filter(|begin| begin.eq_ignore_ascii_case(other));
    known.or_else(|| written.get(begin?.len()..)?.parse().ok())
}

pub(super) fn type_name(number: u16) -> String {
    name(TYPES, number, "TYPE")
}

pub(super) fn type_number(written: &str) -> Option<u16> {
    number(TYPES, written, "TYPE")
}

pub(super) fn class_name(number: u16) -> String {
    name(CLASSES, number, "CLASS")
}

pub(super) fn class_number(written: &str) -> Option<u16> {
    number(CLASSES, written, "CLASS")
}

pub(super) fn rcode_name(number: u16) -> String {
    name(RCODES, number, "RCODE")
}

pub(super) fn rcode_number(written: &str) -> Option<u16> {
    number(RCODES, written, "RCODE").filter(|number| *number < 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_in_both_directions() {
        assert_eq!((type_number("aaaa"), type_number("TYPE65280"), type_number("AA")), (Some(28), Some(65_280), None));
        assert_eq!((type_name(16), type_name(4711)), ("TXT".to_owned(), "TYPE4711".to_owned()));
        assert_eq!((class_number("in"), class_name(3)), (Some(1), "CH".to_owned()));
        assert_eq!(
            (rcode_number("NXDOMAIN"), rcode_number("BADVERS"), rcode_name(11)),
            (Some(3), None, "RCODE11".to_owned())
        );
    }
}
