//! Who makes spans, and who changes things meanwhile.

use std::error::Error;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use enter_span_pipeline::Pipeline;
use rand::rngs::SmallRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::runtime::Runtime;

use crate::book::Book;
use crate::receiver::{Mood, Receiver};
use crate::recipe::Recipe;
use crate::totals::Totals;

const THREADS: u64 = 8;

pub(crate) struct Stage {
    shared: Arc<Shared>,
    receiver: Receiver,
    recipe: Recipe,
    random: SmallRng,
    runtime: Runtime,
    totals: Totals,
}

struct Shared {
    pipeline: RwLock<Pipeline>,
    book: Arc<Book>,
    is_over: AtomicBool,
}

impl Stage {
    pub(crate) fn new(
        receiver: Receiver,
        recipe: Recipe,
        book: Arc<Book>,
        mut random: SmallRng,
    ) -> Result<Self, Box<dyn Error>> {
        let shared = Shared {
            pipeline: RwLock::new(recipe.pipeline(&mut random)?),
            book,
            is_over: AtomicBool::new(false),
        };
        Ok(Stage {
            shared: Arc::new(shared),
            receiver,
            recipe,
            random,
            runtime: tokio::runtime::Builder::new_current_thread().build()?,
            totals: Totals::default(),
        })
    }

    pub(crate) fn start_threads(&self, seed: u64) -> Vec<JoinHandle<()>> {
        let start = |number| {
            let shared = Arc::clone(&self.shared);
            let random = SmallRng::seed_from_u64(seed.wrapping_add(number));
            thread::spawn(move || shared.make_spans(random))
        };
        (0..THREADS).map(start).collect()
    }

    /// Changes things at random until then.
    pub(crate) fn act_until(&mut self, end: Instant) {
        while Instant::now() < end {
            match self.random.random_range(0..40) {
                0 => {
                    let timeout = self.time(5_000);
                    // Without another one, this one stays.
                    let _ = self.replace(timeout);
                }
                1..12 => self.flush(),
                _ => self.receiver.change(),
            }
            let pause = Duration::from_millis(self.random.random_range(10..600));
            thread::sleep(pause.min(end.saturating_duration_since(Instant::now())));
        }
    }

    fn time(&mut self, most: u64) -> Duration {
        Duration::from_millis(self.random.random_range(1..most))
    }

    fn flush(&mut self) {
        let timeout = self.time(500);
        let is_async = self.random.random();
        let pipeline = self.shared.read();
        // What is not flushed in time is exported later.
        let _ = if is_async {
            self.runtime.block_on(pipeline.flush_async(timeout))
        } else {
            pipeline.flush(timeout)
        };
        self.totals.flushes += 1;
    }

    /// Another pipeline takes its place.
    fn replace(&mut self, timeout: Duration) -> Result<(), enter_span_pipeline::Error> {
        let next = self.recipe.pipeline(&mut self.random)?;
        let before = mem::replace(&mut *self.shared.write(), next);
        self.shut_down(&before, timeout);
        Ok(())
    }

    /// No thread has spans of it any more.
    fn shut_down(&mut self, pipeline: &Pipeline, timeout: Duration) {
        let (start, before) = (Instant::now(), pipeline.counts());
        // What is not exported in time is counted, or is in the spool.
        let _ = if self.random.random() {
            self.runtime.block_on(pipeline.shutdown_async(timeout))
        } else {
            pipeline.shutdown(timeout)
        };
        let is_late = start.elapsed() >= timeout * 3 / 4;
        self.totals.add(before, pipeline.counts(), is_late);
    }

    pub(crate) fn stop(&self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.receiver.set(Mood::Well);
    }

    /// The receiver is well, so all that is left arrives.
    pub(crate) fn end(mut self) -> Result<Totals, Box<dyn Error>> {
        const ENOUGH: Duration = Duration::from_secs(60);
        let shared = Arc::clone(&self.shared);
        shared.read().flush(ENOUGH)?;
        self.replace(ENOUGH)?;
        // What earlier pipelines were sending when their time was over is answered, or given up.
        thread::sleep(self.recipe.timeout() * 2);
        // This one finds all that they have left.
        self.replace(ENOUGH)?;
        let last = shared.read();
        let end = Instant::now() + ENOUGH;
        while self.recipe.files() > 0 && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
        }
        last.flush(ENOUGH)?;
        self.shut_down(&last, ENOUGH);
        self.totals.files = self.recipe.files();
        self.recipe.clean();
        Ok(self.totals)
    }
}

impl Shared {
    fn read(&self) -> RwLockReadGuard<'_, Pipeline> {
        self.pipeline.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Pipeline> {
        self.pipeline
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// At most so many that the book has room for all.
    fn make_spans(&self, mut random: SmallRng) {
        while !self.is_over.load(Ordering::Relaxed) {
            let pipeline = self.read();
            let tracer = pipeline.tracer("soak");
            for _ in 0..random.random_range(1..10) {
                let Some(number) = self.book.next() else {
                    return;
                };
                tracer.enter_span("work", |span| {
                    span.set_attribute("number", number.cast_signed());
                });
            }
            drop(pipeline);
            thread::sleep(Duration::from_millis(random.random_range(5..20)));
        }
    }
}
