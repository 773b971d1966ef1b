//! Owns the JSON Web Tokens: what is in them, how they are signed and read. Pure: the time is passed in.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{limits, secret::Secret};

/// What a token says. The role is not among it: it is read anew with every request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user's id.
    pub sub: String,
    /// The token's own id, by which it is revoked.
    pub jti: String,
    /// What a browser's unsafe requests must repeat in a header. A foreign page cannot read it: the cookie is `HttpOnly`.
    pub csrf: String,
    /// Unix seconds of the end.
    pub exp: i64,
}

/// A fresh token.
#[derive(Debug)]
pub struct Issued {
    /// The signed token.
    pub token: String,
    /// What is in it.
    pub claims: Claims,
}

/// Signs and reads tokens with one key.
pub struct Tokens {
    signing: EncodingKey,
    reading: DecodingKey,
    validation: Validation,
}

impl Tokens {
    /// Keys from the secret: HMAC-SHA-256, and nothing else is accepted in a token's header.
    pub fn new(secret: &Secret) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.extend(["exp", "sub"].map(str::to_owned));
        // The expiry is compared in `read`, where the caller's clock rules and no leeway is given.
        validation.validate_exp = false;
        let key = secret.reveal().as_bytes();
        Self { signing: EncodingKey::from_secret(key), reading: DecodingKey::from_secret(key), validation }
    }

    /// A new token for this user, from `now` (Unix seconds).
    pub fn issue(&self, user_id: &str, now: i64) -> Result<Issued, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: user_id.to_owned(),
            jti: Uuid::new_v4().to_string(),
            csrf: super::random_secret().reveal().to_owned(),
            exp: now.saturating_add_unsigned(limits::SESSION_LIFE.as_secs()),
        };
        let token = encode(&Header::new(Algorithm::HS256), &claims, &self.signing)?;
        Ok(Issued { token, claims })
    }

    /// The claims of a token that we signed and that has not expired.
    pub fn read(&self, token: &str, now: i64) -> Option<Claims> {
        let claims = decode::<Claims>(token, &self.reading, &self.validation).ok()?.claims;
        (claims.exp > now).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn tokens() -> Tokens {
        Tokens::new(&Secret::new("0123456789abcdef0123456789abcdef"))
    }

    #[test]
    fn a_token_lives_exactly_as_long_as_a_session() {
        let issued = tokens().issue("someone", NOW).expect("signs");
        let end = NOW + 15 * 60;
        assert_eq!(tokens().read(&issued.token, end - 1), Some(issued.claims));
        assert_eq!(tokens().read(&issued.token, end), None);
    }

    #[test]
    fn a_token_of_another_key_is_not_read() {
        let other = Tokens::new(&Secret::new("ffffffffffffffffffffffffffffffff"));
        let issued = other.issue("someone", NOW).expect("signs");
        assert_eq!(tokens().read(&issued.token, NOW), None);
    }

    #[test]
    fn an_unsigned_token_is_not_read() {
        // {"alg":"none","typ":"JWT"} and the claims of an administrator-to-be, with an empty signature.
        let forged = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.\
                      eyJzdWIiOiJ4IiwianRpIjoieCIsImNzcmYiOiJ4IiwiZXhwIjo0MDAwMDAwMDAwfQ.";
        assert_eq!(tokens().read(forged, NOW), None);
    }

    #[test]
    fn two_tokens_of_one_user_differ_in_everything_that_must() {
        let (one, two) = (tokens().issue("x", NOW).expect("signs"), tokens().issue("x", NOW).expect("signs"));
        assert_ne!(one.claims.jti, two.claims.jti);
        assert_ne!(one.claims.csrf, two.claims.csrf);
    }
}
