//! Variables with the place where each is set: of an environment file or of the process. A leaf.

use crate::config::Environment;
use crate::preflight::Place;
use crate::secret::Secret;
use std::collections::BTreeMap;

/// What stands in for a file name where the live environment is checked.
pub(crate) const LIVE: &str = "the environment";

/// One variable.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Its name.
    pub(crate) name: String,
    /// Its value; nobody shows it.
    value: Secret,
    /// The line where it begins, from 1; 0 in the live environment.
    pub(crate) line: usize,
    /// Whether the value is known: it refers to nothing that is not set, and has one.
    pub(crate) known: bool,
}

impl Variable {
    pub(crate) fn new(name: &str, value: String, line: usize, known: bool) -> Self {
        Self { name: name.to_owned(), value: Secret::new(value), line, known }
    }

    /// The value, to be looked at and never shown.
    pub(crate) fn value(&self) -> &str {
        self.value.expose()
    }
}

/// All variables of one input; of two with one name the later one counts.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    /// The file as given, or [`LIVE`].
    pub(crate) input: String,
    list: Vec<Variable>,
    by_name: BTreeMap<String, usize>,
}

impl Variables {
    pub(crate) fn new(input: &str) -> Self {
        Self { input: input.to_owned(), ..Self::default() }
    }

    /// The environment of this process.
    pub(crate) fn live(env: &Environment) -> Self {
        let mut variables = Self::new(LIVE);
        env.iter().for_each(|(name, value)| variables.set(Variable::new(name, value.to_owned(), 0, true)));
        variables
    }

    /// Adds one, in place of an earlier one.
    pub(crate) fn set(&mut self, variable: Variable) {
        match self.by_name.get(&variable.name).and_then(|at| self.list.get_mut(*at)) {
            Some(earlier) => *earlier = variable,
            None => {
                self.by_name.insert(variable.name.clone(), self.list.len());
                self.list.push(variable);
            }
        }
    }

    /// A variable that is set, be it to nothing.
    pub(crate) fn get(&self, name: &str) -> Option<&Variable> {
        self.by_name.get(name).and_then(|at| self.list.get(*at))
    }

    /// The value of a variable that is set to something known.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|variable| variable.known).map(Variable::value).filter(|value| !value.is_empty())
    }

    /// All, in the order first set.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Variable> {
        self.list.iter()
    }

    /// How many.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// The place of a variable; without a line when it is not set.
    pub(crate) fn place(&self, name: &str) -> Place {
        Place::line(&self.input, self.get(name).map_or(0, |variable| variable.line), name)
    }

    /// Whether this is the environment of a process and not a file.
    pub(crate) fn is_live(&self) -> bool {
        self.input == LIVE
    }
}
