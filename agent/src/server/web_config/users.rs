//! `basic_auth_users`: names with bcrypt hashes.
//!
//! bcrypt is slow on purpose, so it runs on a thread of its own, one password at a time, and what was found right is remembered.
//! An unknown user costs the same time as a known one. What is remembered is compared field by field: a key joined from fields
//! let one user's entry answer for another's in exporter-toolkit (CVE-2022-46146).

use super::Found;
use crate::limits;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use std::collections::{BTreeMap, VecDeque};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Salt and digest of no password that anybody knows.
const NOBODY: &str = "QmXkzjVkS1dWwGmOTsjrhOYqVhZ1w9QbYVvyLxJ3WhuSbwTb0u9Cu";

/// What is to be said of a request's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Login {
    /// A user with the right password.
    Right,
    /// None, unreadable, unknown or wrong; the client is not told which.
    Wrong,
    /// Too many passwords wait to be checked.
    Busy,
}

/// The users.
pub(in crate::server) struct Users {
    hashes: BTreeMap<String, Secret>,
    nobody: Secret,
    right: Mutex<VecDeque<Known>>,
    turn: Arc<Semaphore>,
}

/// A pair that was found right.
struct Known {
    user: String,
    password: Secret,
}

impl Users {
    /// Checks the hashes; `None` when there are no users, or a hash is none.
    pub(super) fn new(hashes: BTreeMap<String, Secret>, found: &mut Found) -> Option<Self> {
        let mut dearest = 4;
        let before = found.problems.0.len();
        for (user, hash) in &hashes {
            let path = format!("basic_auth_users.{user}");
            match bcrypt::HashParts::from_str(hash.expose()) {
                Err(_) => found.add(&path, "this is no bcrypt hash", "make one with `htpasswd -nBC 10 NAME`"),
                Ok(parts) if parts.get_cost() > limits::BCRYPT_COST => found.add(
                    &path,
                    format!(
                        "the cost of this hash is {}, at most {} is accepted",
                        parts.get_cost(),
                        limits::BCRYPT_COST
                    ),
                    "make one with `htpasswd -nBC 10 NAME`",
                ),
                Ok(parts) => dearest = dearest.max(parts.get_cost()),
            }
        }
        if hashes.is_empty() || found.problems.0.len() > before {
            return None;
        }
        let nobody = Secret::new(format!("$2b${dearest:02}${NOBODY}"));
        Some(Self { hashes, nobody, right: Mutex::default(), turn: Arc::new(Semaphore::new(1)) })
    }

    /// Looks at the credentials of a request.
    pub(in crate::server) async fn check(&self, header: Option<&HeaderValue>) -> Login {
        let Some((user, password)) = header.and_then(credentials) else { return Login::Wrong };
        if self.remembers(&user, &password) {
            return Login::Right;
        }
        let waiting = timeout(limits::PASSWORD_TIMEOUT, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(permit)) = waiting else { return Login::Busy };
        let known = self.hashes.get(&user);
        let (hash, guess) = (known.unwrap_or(&self.nobody).clone(), password.clone());
        // The permit goes along: a client that hangs up does not make room for a second thread of work.
        let work = move || {
            let right = bcrypt::verify(guess.expose(), hash.expose()).unwrap_or(false);
            drop(permit);
            right
        };
        let right = tokio::task::spawn_blocking(work).await.unwrap_or(false) && known.is_some();
        if !right {
            return Login::Wrong;
        }
        self.remember(user, password);
        Login::Right
    }

    fn remembers(&self, user: &str, password: &Secret) -> bool {
        let right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &Known| same(&known.user, user) & same(known.password.expose(), password.expose());
        right.iter().fold(false, |found, known| found | same(known))
    }

    fn remember(&self, user: String, password: Secret) {
        let mut right = self.right.lock().unwrap_or_else(PoisonError::into_inner);
        while right.len() >= limits::PASSWORDS_REMEMBERED {
            right.pop_front();
        }
        right.push_back(Known { user, password });
    }
}

/// User and password of a `Basic` header (RFC 7617).
fn credentials(header: &HeaderValue) -> Option<(String, Secret)> {
    let text = header.to_str().ok().filter(|text| text.len() <= limits::AUTHORIZATION_BYTES)?;
    let (scheme, encoded) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), Secret::new(password)))
}

/// Compares in a time that depends on the lengths only.
fn same(a: &str, b: &str) -> bool {
    let differ = a.bytes().zip(b.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Node, Problems};

    fn users(pairs: &[(&str, &str)]) -> Result<Users, Vec<String>> {
        let root = Node::default();
        let mut found = Found { root: &root, problems: Problems::default() };
        let hashes = pairs.iter().map(|(user, hash)| ((*user).to_owned(), Secret::new(*hash))).collect();
        let users = Users::new(hashes, &mut found);
        users.ok_or_else(|| found.problems.0.into_iter().map(|problem| problem.message).collect())
    }

    fn header(user: &str, password: &str) -> HeaderValue {
        format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))).parse().unwrap()
    }

    async fn check(users: &Users, user: &str, password: &str) -> Login {
        users.check(Some(&header(user, password))).await
    }

    #[tokio::test]
    async fn only_the_right_password_of_a_known_user_is_right() {
        let users =
            users(&[("ann", &bcrypt::hash("right", 4).unwrap()), ("", &bcrypt::hash("x", 4).unwrap())]).unwrap();
        for _ in 0..2 {
            assert_eq!(check(&users, "ann", "right").await, Login::Right);
            assert_eq!(check(&users, "ann", "wrong").await, Login::Wrong);
            assert_eq!(check(&users, "ann", "").await, Login::Wrong);
            assert_eq!(check(&users, "bob", "right").await, Login::Wrong);
            assert_eq!(check(&users, "", "right").await, Login::Wrong);
        }
        for rubbish in ["", "Basic", "Basic !!", "Bearer abc", "Basic YQ==", "basic  ", "Basic //8="] {
            assert_eq!(users.check(Some(&rubbish.parse().unwrap())).await, Login::Wrong, "{rubbish}");
        }
        assert_eq!(users.check(None).await, Login::Wrong);
    }

    #[tokio::test]
    async fn what_is_remembered_of_one_user_answers_for_no_other() {
        let users = users(&[("a", &bcrypt::hash("b:c", 4).unwrap()), ("a:b", &bcrypt::hash("d", 4).unwrap())]).unwrap();
        assert_eq!(check(&users, "a", "b:c").await, Login::Right);
        let right = users.right.lock().unwrap().len();
        assert_eq!(right, 1);
        assert!(users.remembers("a", &Secret::new("b:c")));
        assert!(!users.remembers("a:b", &Secret::new("c")), "joined, both would read a:b:c");
    }

    #[tokio::test]
    async fn remembers_so_many_and_never_a_wrong_one() {
        let users = users(&[("ann", &bcrypt::hash("right", 4).unwrap())]).unwrap();
        assert_eq!(check(&users, "ann", "wrong").await, Login::Wrong);
        assert!(users.right.lock().unwrap().is_empty());
        for n in 0..limits::PASSWORDS_REMEMBERED + 5 {
            users.remember(n.to_string(), Secret::new("x"));
        }
        assert_eq!(users.right.lock().unwrap().len(), limits::PASSWORDS_REMEMBERED);
    }

    /// Not by the clock, which lies on a busy machine: the hash for nobody must be a hash, as dear as the dearest.
    #[test]
    fn an_unknown_user_costs_as_much_as_a_known_one() {
        let users = users(&[("ann", &bcrypt::hash("right", 6).unwrap())]).unwrap();
        let nobody = bcrypt::HashParts::from_str(users.nobody.expose()).unwrap();
        assert_eq!(nobody.get_cost(), 6);
        assert_eq!(bcrypt::verify("right", users.nobody.expose()).ok(), Some(false), "verified, and wrong");
    }

    #[test]
    fn refuses_what_is_no_hash_or_too_dear() {
        let dear = bcrypt::hash("x", 4).unwrap().replace("$04$", "$31$");
        let messages = users(&[("ann", "plain-canary"), ("bob", &dear)]).err().unwrap();
        assert_eq!(messages, ["this is no bcrypt hash", "the cost of this hash is 31, at most 14 is accepted"]);
    }
}
