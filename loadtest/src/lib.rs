//! loadtest.
