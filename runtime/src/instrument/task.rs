//! Tokio's tasks: `spawn` and its kin, as a child or linked.
//!
//! A task starts without a context. Each function here exists twice, so that the call site shows what
//! the task is to its caller. `_in_current_span` is for work that the caller waits for. `_linked` is for work
//! that outlives it, and whose spans are new roots with a link. Neither starts a span. Work in the current span
//! keeps your values and your baggage of the context; linked work starts from an empty one.
//!
//! For another runtime, or a handle of Tokio's, put
//! [`.in_current_span()`](crate::FutureInSpan::in_current_span) or
//! [`.linked_to_current_span()`](crate::FutureInSpan::linked_to_current_span) on what you spawn.
//!
//! ```
//! use enter_span::{enter_span, task};
//!
//! #[enter_span]
//! async fn audit(order: u64) {}
//!
//! #[enter_span]
//! async fn price(order: u64) -> u64 {
//!     order * 2
//! }
//!
//! #[enter_span]
//! async fn checkout(order: u64) -> u64 {
//!     task::spawn_linked(audit(order));
//!     task::spawn_in_current_span(price(order)).await.unwrap_or(0)
//! }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(checkout(1));
//! ```

use std::future::Future;

use tokio::task::{self, AbortHandle, JoinHandle, JoinSet};

use crate::instrument::in_span::{ClosureInSpan as _, FutureInSpan as _};

/// [`tokio::spawn`], in the current span.
///
/// # Panics
///
/// Outside of a Tokio runtime, as `tokio::spawn` does.
#[track_caller]
pub fn spawn_in_current_span<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    task::spawn(future.in_current_span())
}

/// [`tokio::spawn`], with new roots that are linked to the current span.
///
/// # Panics
///
/// Outside of a Tokio runtime, as `tokio::spawn` does.
#[track_caller]
pub fn spawn_linked<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    task::spawn(future.linked_to_current_span())
}

/// [`tokio::task::spawn_local`], in the current span.
///
/// # Panics
///
/// Outside of a `LocalSet`, as `spawn_local` does.
#[track_caller]
pub fn spawn_local_in_current_span<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
{
    task::spawn_local(future.in_current_span())
}

/// [`tokio::task::spawn_local`], with new roots that are linked to the current span.
///
/// # Panics
///
/// Outside of a `LocalSet`, as `spawn_local` does.
#[track_caller]
pub fn spawn_local_linked<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
{
    task::spawn_local(future.linked_to_current_span())
}

/// [`tokio::task::spawn_blocking`], in the current span.
///
/// # Panics
///
/// Outside of a Tokio runtime, as `spawn_blocking` does.
#[track_caller]
pub fn spawn_blocking_in_current_span<W, R>(work: W) -> JoinHandle<R>
where
    W: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    task::spawn_blocking(work.in_current_span())
}

/// [`tokio::task::spawn_blocking`], with new roots that are linked to the current span.
///
/// # Panics
///
/// Outside of a Tokio runtime, as `spawn_blocking` does.
#[track_caller]
pub fn spawn_blocking_linked<W, R>(work: W) -> JoinHandle<R>
where
    W: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    task::spawn_blocking(work.linked_to_current_span())
}

/// The same for the tasks of a [`JoinSet`], which aborts them when it is dropped.
///
/// ```
/// use enter_span::enter_span;
/// use enter_span::prelude::*;
/// use tokio::task::JoinSet;
///
/// #[enter_span(attributes(page))]
/// async fn fetch(page: u32) -> u32 {
///     page
/// }
///
/// #[enter_span]
/// async fn fetch_all() -> Vec<u32> {
///     let mut pages = JoinSet::new();
///     for page in 0..3 {
///         pages.spawn_in_current_span(fetch(page));
///     }
///     pages.join_all().await
/// }
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(fetch_all());
/// ```
pub trait JoinSetInSpan<T>: sealed::Sealed {
    /// [`JoinSet::spawn`], in the current span.
    fn spawn_in_current_span<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send;

    /// [`JoinSet::spawn`], with new roots that are linked to the current span.
    fn spawn_linked<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send;

    /// [`JoinSet::spawn_local`], in the current span.
    fn spawn_local_in_current_span<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static;

    /// [`JoinSet::spawn_local`], with new roots that are linked to the current span.
    fn spawn_local_linked<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static;

    /// [`JoinSet::spawn_blocking`], in the current span.
    fn spawn_blocking_in_current_span<W>(&mut self, work: W) -> AbortHandle
    where
        W: FnOnce() -> T + Send + 'static,
        T: Send;

    /// [`JoinSet::spawn_blocking`], with new roots that are linked to the current span.
    fn spawn_blocking_linked<W>(&mut self, work: W) -> AbortHandle
    where
        W: FnOnce() -> T + Send + 'static,
        T: Send;
}

mod sealed {
    pub trait Sealed {}
}

impl<T> sealed::Sealed for JoinSet<T> {}

impl<T: 'static> JoinSetInSpan<T> for JoinSet<T> {
    #[track_caller]
    fn spawn_in_current_span<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.spawn(future.in_current_span())
    }

    #[track_caller]
    fn spawn_linked<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.spawn(future.linked_to_current_span())
    }

    #[track_caller]
    fn spawn_local_in_current_span<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.spawn_local(future.in_current_span())
    }

    #[track_caller]
    fn spawn_local_linked<F>(&mut self, future: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.spawn_local(future.linked_to_current_span())
    }

    #[track_caller]
    fn spawn_blocking_in_current_span<W>(&mut self, work: W) -> AbortHandle
    where
        W: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.spawn_blocking(work.in_current_span())
    }

    #[track_caller]
    fn spawn_blocking_linked<W>(&mut self, work: W) -> AbortHandle
    where
        W: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.spawn_blocking(work.linked_to_current_span())
    }
}
