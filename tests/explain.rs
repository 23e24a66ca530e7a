//! The command explain.
