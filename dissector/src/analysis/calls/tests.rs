//! Tests of the book of calls.
