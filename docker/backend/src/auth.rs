//! Owns who a request comes from: passwords, tokens, sessions. Knows nothing of entities.

mod password;
mod session;
mod token;

pub use password::{Hasher, PasswordError};
pub use session::{Admin, COOKIE, Session};
pub use token::{Claims, Issued, Tokens};

use uuid::Uuid;

use crate::secret::Secret;

/// Some 244 random bits from the system, as text.
pub fn random_secret() -> Secret {
    Secret::new(format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()))
}
