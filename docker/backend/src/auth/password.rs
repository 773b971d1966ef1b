//! Owns password hashing: argon2id with 256 KiB, one pass, one lane.
//!
//! That is far below what a real service should take (OWASP: 19 MiB and two passes, some 20 ms of a core). It is chosen with
//! open eyes: this backend exists to be load-tested on two cores, and with full parameters the logins of 200 users would
//! measure argon2 and nothing else. At 256 KiB a hash costs some 0.2 ms. A real service raises `MEMORY_KIB` and
//! `PASSES`; stored hashes carry their own parameters, so old ones go on to verify.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use thiserror::Error;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::{limits, secret::Secret};

const MEMORY_KIB: u32 = 256;
const PASSES: u32 = 1;
const LANES: u32 = 1;

/// Hashing did not work.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// argon2 refused, or a stored hash is not in PHC form.
    #[error("password hash: {0}")]
    Hash(argon2::password_hash::Error),
    /// The thread that hashed died.
    #[error("password hash: the worker thread ended early")]
    Worker,
}

impl From<argon2::password_hash::Error> for PasswordError {
    fn from(error: argon2::password_hash::Error) -> Self {
        Self::Hash(error)
    }
}

/// Hashes and verifies off the async threads, a few at a time.
#[derive(Debug)]
pub struct Hasher {
    permits: Semaphore,
    /// Verified against when the account does not exist, so that both cases take as long.
    decoy: String,
}

impl Hasher {
    /// A hasher with its decoy.
    pub fn new() -> Result<Self, PasswordError> {
        let decoy = hash(super::random_secret().reveal())?;
        Ok(Self { permits: Semaphore::new(limits::MAX_CONCURRENT_HASHES), decoy })
    }

    /// The hash of a new password.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        self.off_thread(move || hash(password.reveal())).await
    }

    /// Whether the password belongs to the stored hash; `false`, in the same time, when there is none.
    pub async fn verify(&self, password: Secret, stored: Option<String>) -> Result<bool, PasswordError> {
        let is_known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.clone());
        let is_right = self.off_thread(move || verify(password.reveal(), &stored)).await?;
        Ok(is_right && is_known)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let _permit = self.permits.acquire().await.map_err(|_| PasswordError::Worker)?;
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Worker)?
    }
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(argon2::password_hash::Error::from)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let salt = SaltString::encode_b64(Uuid::new_v4().as_bytes())?;
    Ok(argon2()?.hash_password(password.as_bytes(), &salt)?.to_string())
}

fn verify(password: &str, stored: &str) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(stored)?;
    match argon2()?.verify_password(password.as_bytes(), &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::Password) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_verifies_its_own_password_only_and_tells_its_parameters() {
        let stored = hash("correct horse").expect("hashes");
        assert!(stored.starts_with("$argon2id$v=19$m=256,t=1,p=1$"));
        assert!(verify("correct horse", &stored).expect("verifies"));
        assert!(!verify("wrong horse", &stored).expect("verifies"));
    }

    #[test]
    fn two_hashes_of_one_password_differ() {
        assert_ne!(hash("same").expect("hashes"), hash("same").expect("hashes"));
    }

    #[tokio::test]
    async fn an_unknown_account_never_verifies() {
        let hasher = Hasher::new().expect("a hasher");
        assert!(!hasher.verify(Secret::new("x"), None).await.expect("verifies"));
    }
}
