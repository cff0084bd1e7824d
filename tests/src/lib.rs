//! What the tests share with their child processes.
