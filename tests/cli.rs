//! The command as a whole: usage, errors, help.
