//! The pages that the agent serves, for the reference.

/// A page.
pub(super) struct Page {
    pub(super) path: &'static str,
    pub(super) access: &'static str,
    pub(super) what: &'static str,
}

const fn open(path: &'static str, what: &'static str) -> Page {
    Page { path, access: "everybody", what }
}

const fn restricted(path: &'static str, what: &'static str) -> Page {
    Page { path, access: "restricted", what }
}

/// All pages, in the order of use.
pub(super) static PAGES: &[Page] = &[
    open("/", "status page for people, without addresses"),
    open("/metrics", "OpenMetrics or text 0.0.4 by `Accept`, gzip when asked for"),
    open("/live", "200 while the agent runs, whatever its peer does"),
    open("/ready", "200 when every liveness and readiness check is up, else 503 with the names of those that are not"),
    open("/health", "state of all checks as JSON; `?role=liveness` or `?role=readiness` for those of one role"),
    open("/-/healthy", "as `/live`, in a word"),
    open("/-/ready", "as `/ready`, in a word"),
    restricted("/diagnostics", "everything known: checks with their last failures, system, process, pools"),
];
