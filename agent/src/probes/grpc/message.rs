//! The two messages of `grpc.health.v1` and gRPC's frame around them. Pure; what comes may be anything.

/// Code numbers of gRPC, by their number: `grpc/doc/statuscodes.md`.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The name of a code; a number that has none is `UNKNOWN`, as clients have it.
pub(super) fn code_name(code: u16) -> &'static str {
    CODES.get(usize::from(code)).copied().unwrap_or("UNKNOWN")
}

/// What a health service says, by the number on the wire.
pub(super) const SERVING: [&str; 4] = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/// A framed `HealthCheckRequest`: field 1 is the service's name, left out when empty.
pub(super) fn request(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    if !service.is_empty() {
        message.push(0x0a);
        push_varint(&mut message, service.len());
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or_default();
    [&[0], length.to_be_bytes().as_slice(), &message].concat()
}

fn push_varint(message: &mut Vec<u8>, mut value: usize) {
    while let (low, rest @ 1..) = (value & 0x7f, value >> 7) {
        message.push(0x80 | u8::try_from(low).unwrap_or_default());
        value = rest;
    }
    message.push(u8::try_from(value).unwrap_or_default());
}

/// Why an answer is no health answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Strange {
    #[error("the answer holds no message")]
    Empty,
    #[error("the answer is compressed, which was not asked for")]
    Compressed,
    #[error("the answer's length is not the one that it says")]
    Length,
    #[error("the answer is no `HealthCheckResponse`")]
    Message,
}

/// The number of the status in a framed `HealthCheckResponse`: field 1, a varint, 0 when left out.
pub(super) fn status(framed: &[u8]) -> Result<u64, Strange> {
    let [compressed, a, b, c, d, message @ ..] = framed else { return Err(Strange::Empty) };
    if *compressed != 0 {
        return Err(Strange::Compressed);
    }
    if usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).ok() != Some(message.len()) {
        return Err(Strange::Length);
    }
    fields(message).ok_or(Strange::Message)
}

fn fields(mut rest: &[u8]) -> Option<u64> {
    let mut status = 0;
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        match (tag >> 3, tag & 7) {
            (0, _) => return None,
            (1, 0) => status = varint(&mut rest)?,
            // Fields of a later version are passed over.
            (_, 0) => drop(varint(&mut rest)?),
            (_, 1) => rest = rest.get(8..)?,
            (_, 2) => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                rest = rest.get(length..)?;
            }
            (_, 5) => rest = rest.get(4..)?,
            _ => return None,
        }
    }
    Some(status)
}

/// Takes a number off the front: seven bits a byte, at most ten bytes.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Reads whatever comes, for fuzzing.
pub(super) fn read(bytes: &[u8]) {
    let _status = status(bytes);
    let _fields = fields(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_request_is_what_protoc_makes_of_it() {
        assert_eq!(request(""), b"\0\0\0\0\0");
        assert_eq!(request("shop.Cart"), b"\0\0\0\0\x0b\x0a\x09shop.Cart");
        assert_eq!(request(&"x".repeat(300))[..8], *b"\0\0\0\x01\x2f\x0a\xac\x02");
    }

    #[test]
    fn reads_answers_of_this_and_of_later_versions() {
        let cases: &[(&[u8], Result<u64, Strange>)] = &[
            (b"\0\0\0\0\x02\x08\x01", Ok(1)),
            (b"\0\0\0\0\x02\x08\x02", Ok(2)),
            (b"\0\0\0\0\0", Ok(0)),
            (b"\0\0\0\0\x07\x12\x03abc\x08\x01", Ok(1)),
            (b"\0\0\0\0\x10\x18\x05\x25abcd\x29abcdefgh", Ok(0)),
            (b"", Err(Strange::Empty)),
            (b"\x01\0\0\0\x02\x08\x01", Err(Strange::Compressed)),
            (b"\0\xff\xff\xff\xff\x08\x01", Err(Strange::Length)),
            (b"\0\0\0\0\x02\x08\xff", Err(Strange::Message)),
            (b"\0\0\0\0\x02\x12\x7f", Err(Strange::Message)),
            (b"\0\0\0\0\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", Err(Strange::Message)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(status(bytes), *expected, "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken_calmly(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            read(&bytes);
        }
    }
}
