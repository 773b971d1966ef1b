//! How a figure is read from pages.

/// How a figure is read from pages.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The highest sample of a gauge with these labels.
    Gauge(&'static str, &'static [(&'static str, &'static str)]),
    /// The highest sample of a gauge of the checks that are marked as the peer's own.
    OfPeer(&'static str),
    /// 1 less the lowest sample of a share.
    Used(&'static str),
    /// The same of the peer's checks.
    PeerLost(&'static str),
    /// By how much a first counter rose for each rise of a second one, over the series that both pages have; times a factor.
    Quotient(&'static str, &'static str, f64),
    /// A gauge of the peer's checks, times a factor.
    Scaled(&'static str, f64),
    /// By how much a counter rose since the sidecar was first heard.
    Rise(&'static str),
}

impl Source {
    /// Whether it comes from checks, which run at a beat of their own, and not from the collectors.
    pub(super) const fn is_of_checks(self) -> bool {
        matches!(self, Self::OfPeer(_) | Self::PeerLost(_) | Self::Scaled(..) | Self::Quotient(..))
    }

    /// The families that it reads.
    pub(super) fn families(self) -> impl Iterator<Item = &'static str> {
        let (first, second) = match self {
            Self::Gauge(name, _)
            | Self::OfPeer(name)
            | Self::Used(name)
            | Self::PeerLost(name)
            | Self::Scaled(name, _)
            | Self::Rise(name) => (name, None),
            Self::Quotient(top, bottom, _) => (top, Some(bottom)),
        };
        [first].into_iter().chain(second)
    }
}
