//! OOM kills over all lives of the peer's container: counted where a cgroup counts them, inferred where the count dies with the container.

/// What is known at a look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// The count of the cgroup that is read, when it can be read.
    pub(super) counted: Option<u64>,
    /// The count of what is around it: the host's, or the pod's on v2.
    pub(super) around: Option<u64>,
    /// The container of the last look is not there any more.
    pub(super) ended: bool,
    /// The count belongs to a cgroup that outlives the container, and so is exact over restarts.
    pub(super) outlives: bool,
}

/// The sums.
#[derive(Debug, Default)]
pub(super) struct Kills {
    /// As cgroups counted them; `None` before the first count.
    pub(super) counted: Option<u64>,
    pub(super) inferred: u64,
    /// The cgroup's own count at the last look.
    last: u64,
    /// The count around it at the last look.
    pub(super) around: Option<u64>,
}

impl Kills {
    /// A new container begins at 0, and the kill that ended the old one is inferred from a step of the count around it.
    pub(super) fn step(&mut self, look: Look) {
        let dies = look.ended && !look.outlives;
        let mut new = 0;
        if let Some(count) = look.counted {
            // A count that went back belongs to a new directory.
            let base = if dies || count < self.last { 0 } else { self.last };
            new = count - base;
            self.counted = Some(self.counted.unwrap_or(0).saturating_add(new));
            self.last = count;
        } else if dies {
            self.last = 0;
        }
        let step = look.around.zip(self.around).map_or(0, |(now, before)| now.saturating_sub(before));
        if dies && step > new {
            self.inferred += 1;
        }
        self.around = look.around.or(self.around);
    }

    /// All of them, when anything counts them.
    pub(super) fn all(&self) -> Option<u64> {
        match (self.counted, self.around) {
            (None, None) => None,
            (counted, _) => Some(counted.unwrap_or(0).saturating_add(self.inferred)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(counted: u64, around: u64) -> Look {
        Look { counted: Some(counted), around: Some(around), ..Look::default() }
    }

    fn sums(kills: &Kills) -> (Option<u64>, u64) {
        (kills.counted, kills.inferred)
    }

    #[test]
    fn kills_are_summed_over_the_lives_of_the_container() {
        let mut kills = Kills::default();
        kills.step(look(0, 0));
        kills.step(look(2, 2));
        kills.step(Look { ended: true, ..look(1, 3) });
        assert_eq!(sums(&kills), (Some(3), 0), "the new container's own kill explains the step around it");
        kills.step(Look { ended: true, ..look(0, 9) });
        assert_eq!(sums(&kills), (Some(3), 1));
        kills.step(look(0, 12));
        assert_eq!(sums(&kills), (Some(3), 1), "kills elsewhere on the host are not the peer's");
        assert_eq!(kills.all(), Some(4));
    }

    #[test]
    fn a_kill_that_ended_a_container_for_good_is_inferred_once() {
        let mut kills = Kills::default();
        kills.step(look(0, 5));
        kills.step(Look { counted: None, ended: true, ..look(0, 6) });
        kills.step(look(0, 9));
        assert_eq!(sums(&kills), (Some(0), 1), "what was killed while it was away was somebody else");
    }

    #[test]
    fn a_directory_made_anew_counts_from_nothing() {
        let mut kills = Kills::default();
        kills.step(Look { outlives: true, ..look(3, 0) });
        kills.step(Look { outlives: true, ended: true, ..look(4, 0) });
        assert_eq!(kills.counted, Some(4));
        kills.step(Look { outlives: true, ended: true, ..look(1, 0) });
        assert_eq!(kills.counted, Some(5), "systemd removes an empty slice, and its count with it");
    }

    #[test]
    fn a_count_that_could_not_be_read_once_is_not_counted_twice() {
        let mut kills = Kills::default();
        kills.step(look(2, 0));
        kills.step(Look { counted: None, ..look(0, 0) });
        kills.step(look(3, 0));
        assert_eq!(kills.counted, Some(3));
    }
}
