//! Runs implementations in lock-step and verifies them.
