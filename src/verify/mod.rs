//! From findings to verdicts.
