//! How a password is shown to MySQL without sending it: mixed with the server's random bytes, or encrypted with its public key (RSA with
//! OAEP, RFC 8017 section 7.1). No secret key is ever at work here, so the arithmetic need not hide its time.

use ring::digest::{Algorithm, Context as Digest, SHA1_FOR_LEGACY_USE_ONLY as SHA1, SHA256};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

/// Longest public key that is computed with; MySQL makes keys of 2048 bits.
const KEY_BYTES: usize = 512;
/// Length of a SHA-1.
const HASH: usize = 20;

fn hash(algorithm: &'static Algorithm, parts: &[&[u8]]) -> Vec<u8> {
    let mut digest = Digest::new(algorithm);
    parts.iter().for_each(|part| digest.update(part));
    digest.finish().as_ref().to_vec()
}

/// Mixes bytes with others that are repeated as often as needed.
fn mix(bytes: &mut [u8], with: &[u8]) {
    bytes.iter_mut().zip(with.iter().cycle()).for_each(|(byte, with)| *byte ^= with);
}

/// The answer of `mysql_native_password`.
pub(super) fn native(password: &str, nonce: &[u8]) -> Vec<u8> {
    let mut answer = hash(&SHA1, &[password.as_bytes()]);
    let twice = hash(&SHA1, &[&answer]);
    mix(&mut answer, &hash(&SHA1, &[nonce, &twice]));
    answer
}

/// The first answer of `caching_sha2_password`.
pub(super) fn sha2(password: &str, nonce: &[u8]) -> Vec<u8> {
    let mut answer = hash(&SHA256, &[password.as_bytes()]);
    let twice = hash(&SHA256, &[&answer]);
    mix(&mut answer, &hash(&SHA256, &[&twice, nonce]));
    answer
}

/// The password for a server whose public key is this PEM; `seed` is random.
pub(super) fn encrypted(password: &str, nonce: &[u8], pem: &[u8], seed: [u8; HASH]) -> Option<Vec<u8>> {
    let info = SubjectPublicKeyInfoDer::from_pem_slice(pem).ok()?;
    let (_, info) = SubjectPublicKeyInfo::from_der(info.as_ref()).ok()?;
    let Ok(PublicKey::RSA(key)) = info.parsed() else { return None };
    let modulus = stripped(key.modulus);
    let mut message = [password.as_bytes(), &[0]].concat();
    mix(&mut message, nonce);
    let padded = padded(&message, seed, Some(modulus.len()).filter(|length| *length <= KEY_BYTES)?)?;
    // An even modulus is none, and a longer exponent than everybody's 65537 only costs time.
    let exponent = stripped(key.exponent);
    (modulus.last()? % 2 == 1 && exponent.len() <= 4).then(|| power(&padded, exponent, modulus))
}

fn stripped(number: &[u8]) -> &[u8] {
    number.get(number.iter().take_while(|byte| **byte == 0).count()..).unwrap_or_default()
}

fn padded(message: &[u8], seed: [u8; HASH], length: usize) -> Option<Vec<u8>> {
    let zeros = length.checked_sub(message.len() + 2 * HASH + 2)?;
    let mut block = [&hash(&SHA1, &[]), &vec![0; zeros], &[1][..], message].concat();
    let mask = |seed: &[u8], length: usize| -> Vec<u8> {
        let counters = (0_u32..).map(u32::to_be_bytes);
        counters.flat_map(|counter| hash(&SHA1, &[seed, &counter])).take(length).collect()
    };
    let over = mask(&seed, block.len());
    mix(&mut block, &over);
    let mut seed = seed;
    mix(&mut seed, &mask(&block, HASH));
    Some([&[0], &seed[..], &block].concat())
}

/// 32 bits of a number in each; the lowest first.
type Limbs = Vec<u64>;

fn limbs(big_endian: &[u8], length: usize) -> Limbs {
    let of = |part: &[u8]| part.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let mut limbs: Limbs = big_endian.rchunks(4).map(of).collect();
    limbs.resize(length, 0);
    limbs
}

/// `base ^ exponent mod modulus`, all with the highest byte first; as long as the modulus.
fn power(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let length = modulus.len().div_ceil(4);
    let (base, n) = (limbs(base, length), limbs(modulus, length));
    let mut result = limbs(&[1], length);
    for bit in exponent.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1)) {
        result = product(&result, &result, &n);
        if bit == 1 {
            result = product(&result, &base, &n);
        }
    }
    let bytes: Vec<u8> = result.iter().rev().flat_map(|limb| limb.to_be_bytes().into_iter().skip(4)).collect();
    bytes.get(bytes.len().saturating_sub(modulus.len())..).unwrap_or_default().to_vec()
}

/// `a * b mod n` by doubling and adding; both are smaller than `n`.
fn product(a: &Limbs, b: &Limbs, n: &Limbs) -> Limbs {
    let mut sum = vec![0; n.len()];
    for bit in a.iter().rev().flat_map(|limb| (0..32).rev().map(move |bit| limb >> bit & 1)) {
        let mut carry = 0;
        for limb in &mut sum {
            let doubled = *limb << 1 | carry;
            (*limb, carry) = (doubled & 0xffff_ffff, doubled >> 32);
        }
        reduce(&mut sum, carry, n);
        if bit == 1 {
            let mut carry = 0;
            for (limb, add) in sum.iter_mut().zip(b) {
                let added = *limb + add + carry;
                (*limb, carry) = (added & 0xffff_ffff, added >> 32);
            }
            reduce(&mut sum, carry, n);
        }
    }
    sum
}

/// Takes `n` away once when the number, its carry included, is not smaller.
fn reduce(number: &mut Limbs, carry: u64, n: &Limbs) {
    if carry == 0 && number.iter().rev().lt(n.iter().rev()) {
        return;
    }
    let mut borrow = 0;
    for (limb, take) in number.iter_mut().zip(n) {
        let taken = (*limb | 1 << 32) - take - borrow;
        (*limb, borrow) = (taken & 0xffff_ffff, 1 - (taken >> 32));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn answers_are_those_that_a_server_can_undo() {
        let nonce = b"abcdefghijklmnopqrst";
        // The server knows only a hash of the hash: it takes its own mix away, hashes once more and compares.
        let mut stage = native("canary", nonce);
        let known = hash(&SHA1, &[&hash(&SHA1, &[b"canary"])]);
        mix(&mut stage, &hash(&SHA1, &[nonce, &known]));
        assert_eq!(hash(&SHA1, &[&stage]), known);
        let mut stage = sha2("canary", nonce);
        let known = hash(&SHA256, &[&hash(&SHA256, &[b"canary"])]);
        mix(&mut stage, &hash(&SHA256, &[&known, nonce]));
        assert_eq!(hash(&SHA256, &[&stage]), known);
    }

    #[test]
    fn powers_are_right_for_small_and_odd_lengths() {
        assert_eq!(power(&[7], &[1, 0, 1], &[0xfb]), [u8::try_from(pow(7, 65537, 0xfb)).unwrap()]);
        let n = 0x00f1_2345_6789_u64;
        let got = power(&[0x12, 0x34, 0x56, 0x78], &[1, 0, 1], &n.to_be_bytes()[3..]);
        assert_eq!(hex(&got), format!("{:010x}", pow(0x1234_5678, 65537, n.into())));
    }

    fn pow(base: u128, exponent: u32, n: u128) -> u128 {
        (0..exponent).fold(1, |power, _| power * base % n)
    }

    /// Made once with another implementation, and decrypted with `openssl pkeyutl -pkeyopt rsa_padding_mode:oaep`.
    #[test]
    fn the_password_is_encrypted_as_openssl_decrypts_it() {
        let key = "\
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDbpCnMFQ9psTgRBsSFeQbCPR2O
K5K27WQOdsF9/KRiR3pMDqQkiFdvqC9nVzyJ/SPFj1NlJwoVEWWxP6QFxHJsa5MD
AUP0O/3kwQANeYIaDezgtmieR+xu+/vCskNPKn9TalDQIQ234oM27Jfm1Mo5NCp9
nr3oxokp2YsosLAf1QIDAQAB
-----END PUBLIC KEY-----
";
        let sealed = "8d6d94d110e3274331cfb430f62bda9d004283b04ec75ea98a4d04c2e10c9526695438b91529a80c3adc1f6ea68c70be6fca0c02d0d54d0ecac4eb89b75022e4\
                      37625583c911d8702111c019c9ed712e74c540f31e3e94703c85fa27f4ef77444f17de474d93bbd26da89f5dcc02e4ceac294d6e1aeec7fc20b3c20117050c03";
        let seed = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let got = encrypted("canary", b"abcdefghijklmnopqrst", key.as_bytes(), seed).unwrap();
        assert_eq!(hex(&got), sealed);
    }

    #[test]
    fn a_key_that_is_none_encrypts_nothing() {
        let pem = |der: &[u8]| {
            use base64::Engine as _;
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n").into_bytes()
        };
        let short = b"\x30\x1c\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0\x03\x0b\0\x30\x08\x02\x01\x33\x02\x03\x01\0\x01";
        for bytes in [b"".to_vec(), b"\x01-----BEGIN".to_vec(), pem(b"\x30\0"), pem(short)] {
            assert_eq!(encrypted("canary", b"nonce", &bytes, [0; HASH]), None);
        }
    }
}
