//! Whom a target is about: a request, a journey, a group of requests, or all of them. Groups are patterns over names and
//! routes, so that nobody has to list requests twice.

use crate::problem::Problem;
use crate::suggest;
use serde::{Deserialize, Serialize};

/// A request of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name in reports: `# @name x` above the entry, else the route.
    pub name: String,
    /// Method and unrendered path, such as `GET /api/users/{{id}}`.
    pub route: String,
    /// Journeys that send it.
    pub journeys: Vec<String>,
}

/// Requests under one name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The name for targets.
    pub name: String,
    /// Patterns over name or route; `*` stands for anything.
    pub patterns: Vec<String>,
}

/// Everything that a target may name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The requests; a sample's `name` is an index in this list.
    pub requests: Vec<Named>,
    /// The groups of the plan and the built-in one.
    pub groups: Vec<Group>,
}

/// The requests that a target is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// As written; none for all requests.
    pub name: Option<String>,
    /// Names of the requests.
    pub members: Vec<String>,
}

/// The built-in group: everything whose path has a segment `api`. A plan may define another under this name.
#[must_use]
pub fn api_group() -> Group {
    Group { name: "api".to_owned(), patterns: vec!["*/api/*".to_owned()] }
}

impl Group {
    /// The names of the requests that belong to it.
    #[must_use]
    pub fn members(&self, requests: &[Named]) -> Vec<String> {
        let fits = |request: &&Named| {
            self.patterns.iter().any(|pattern| glob(pattern, &request.name) || glob(pattern, &request.route))
        };
        requests.iter().filter(fits).map(|request| request.name.clone()).collect()
    }
}

impl Names {
    /// Finds whom a name means: a request first, then a journey, then a group.
    ///
    /// # Errors
    /// When nothing has the name, or the group is empty.
    pub fn subject(&self, name: Option<&str>) -> Result<Subject, Problem> {
        let Some(name) = name else {
            let members = self.requests.iter().map(|request| request.name.clone()).collect();
            return Ok(Subject { name: None, members });
        };
        let members = self.find(name)?;
        Ok(Subject { name: Some(name.to_owned()), members })
    }

    fn find(&self, name: &str) -> Result<Vec<String>, Problem> {
        if self.requests.iter().any(|request| request.name == name) {
            return Ok(vec![name.to_owned()]);
        }
        let of_journey = |request: &&Named| request.journeys.iter().any(|journey| journey == name);
        let members: Vec<_> = self.requests.iter().filter(of_journey).map(|request| request.name.clone()).collect();
        if !members.is_empty() {
            return Ok(members);
        }
        match self.groups.iter().find(|group| group.name == name) {
            Some(group) => Some(group.members(&self.requests)).filter(|members| !members.is_empty()).ok_or_else(|| {
                let patterns = group.patterns.join("`, `");
                let hint = format!("no request's name or `METHOD /path` fits `{patterns}`");
                Problem::new(format!("the group `{name}` has no requests")).hint(hint)
            }),
            None => Err(Problem::new(format!("nothing is called `{name}`")).hint(self.known(name))),
        }
    }

    fn known(&self, name: &str) -> String {
        let mut known: Vec<&str> = self.requests.iter().map(|request| request.name.as_str()).collect();
        for journey in self.requests.iter().flat_map(|request| &request.journeys) {
            if !known.contains(&journey.as_str()) {
                known.push(journey);
            }
        }
        known.extend(self.groups.iter().map(|group| group.name.as_str()));
        suggest::hint(name, "known names", known)
    }
}

/// Whether a text fits a pattern in which `*` stands for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(rest) = text.strip_prefix(head) else { return false };
    let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    starts.any(|at| rest.get(at..).is_some_and(|rest| glob(tail, rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let request = |name: &str, route: &str, journey: &str| Named {
            name: name.to_owned(),
            route: route.to_owned(),
            journeys: vec![journey.to_owned()],
        };
        let requests = vec![
            request("login", "POST /api/auth/login", "crud"),
            request("GET /api/users", "GET /api/users", "crud"),
            request("GET /", "GET /", "home"),
        ];
        let empty = Group { name: "static".to_owned(), patterns: vec!["*.css".to_owned()] };
        Names { requests, groups: vec![api_group(), empty] }
    }

    #[test]
    fn a_name_is_a_request_a_journey_a_group_or_everything() {
        let members = |name| names().subject(name).map(|subject| subject.members);
        assert_eq!(members(None), Ok(vec!["login".to_owned(), "GET /api/users".to_owned(), "GET /".to_owned()]));
        assert_eq!(members(Some("login")), Ok(vec!["login".to_owned()]));
        assert_eq!(members(Some("home")), Ok(vec!["GET /".to_owned()]));
        assert_eq!(members(Some("api")), Ok(vec!["login".to_owned(), "GET /api/users".to_owned()]));
    }

    #[test]
    fn an_unknown_name_and_an_empty_group_name_what_there_is() {
        let hint = |name| names().subject(Some(name)).expect_err("refused").to_string();
        insta::assert_snapshot!(hint("logn"), @r"
        error: nothing is called `logn`
        hint: did you mean `login`? known names: login, GET /api/users, GET /, crud, home, api, static
        ");
        insta::assert_snapshot!(hint("static"), @r"
        error: the group `static` has no requests
        hint: no request's name or `METHOD /path` fits `*.css`
        ");
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, fits) in [
            ("*/api/*", "GET /api/users", true),
            ("*/api/*", "GET /api", false),
            ("GET /", "GET /", true),
            ("GET /", "GET /x", false),
            ("GET /*.css", "GET /a/b.css", true),
            ("*", "", true),
            ("", "x", false),
            ("a*b*c", "abbc", true),
            ("a*b*c", "acb", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
