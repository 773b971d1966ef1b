//! Stands in for the crate `libxml`, of which hurl_core uses one thing: a push parser that says when an XML element
//! opens and closes, by which it finds the end of an XML body in a `.hurl` file. The real crate needs libxml2, clang
//! and pkg-config to build; this one needs nothing.
//!
//! [`bindings`] has exactly the names, types and calling convention that hurl_core names; [`scan`] is the parser.
//! What must stay true: a document that libxml2 refuses as ill-formed is refused here, at the same character or later,
//! and a well-formed one ends at the same character. It does not validate, expand entities or change encodings.

pub mod bindings;
pub mod scan;
