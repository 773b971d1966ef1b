//! Every metric of the probe in one list, put together while compiling from the tables that measure them.

use super::super::facts;
use super::fields::Field;
use super::{STARTED, asked, commands, fields_state, fields_work, scrape, sentinel, topology};
use crate::reading::Metric;

const FIELDS: usize = fields_state::FIELDS.len() + fields_work::FIELDS.len();
const LISTS: usize = asked::FACTS.len() + commands::FACTS.len() + scrape::FACTS.len() + sentinel::FACTS.len();
const COUNT: usize = facts::FACTS.len() + 1 + FIELDS + LISTS + topology::FACTS.len();

/// The list.
pub(in super::super) static FACTS: [&Metric; COUNT] = {
    let list = List { all: [&STARTED; COUNT], count: 1 };
    let list = list.and(facts::FACTS).and_fields(&fields_state::FIELDS).and_fields(&fields_work::FIELDS);
    let list = list.and(asked::FACTS).and(commands::FACTS).and(scrape::FACTS);
    list.and(sentinel::FACTS).and(topology::FACTS).all
};

struct List {
    all: [&'static Metric; COUNT],
    count: usize,
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses an index that is too large")]
impl List {
    const fn and(mut self, metrics: &'static [&'static Metric]) -> Self {
        let mut at = 0;
        while at < metrics.len() {
            self.all[self.count] = metrics[at];
            (self.count, at) = (self.count + 1, at + 1);
        }
        self
    }

    const fn and_fields(mut self, fields: &'static [Field]) -> Self {
        let mut at = 0;
        while at < fields.len() {
            self.all[self.count] = &fields[at].metric;
            (self.count, at) = (self.count + 1, at + 1);
        }
        self
    }
}
