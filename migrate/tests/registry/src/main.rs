//! Does the same with each crate before and after `enter-span-migrate`, and compares the names of
//! the spans.

mod names;
mod work;

fn main() {
    let pairs = [
        ("axum-login", work::axum_login()),
        ("foyer-memory", work::foyer_memory()),
        ("process-wrap", work::process_wrap()),
        ("tower-sessions-core", work::tower_sessions_core()),
    ];
    for (name, (before, after)) in pairs {
        println!(
            "{name}: {} spans before, {} after",
            before.len(),
            after.len()
        );
        assert!(!before.is_empty(), "{name} makes no span");
        assert_eq!(before, after, "{name}");
    }
}
