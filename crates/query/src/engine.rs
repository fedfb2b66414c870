//! The one door: every question to the tables goes through [`Engine::ask`].
//!
//! ```text
//! text ──guard──▶ statement ──session over a snapshot──▶ plan ──guard──▶ rows ──▶ Answer
//! ```
//!
//! Queries run on threads of their own, so that a query that keeps a core busy delays neither ingest nor the
//! timer that ends it. What a query may cost is in [`Limits`].

mod allowed;
mod answer;
mod deadline;
mod functions;
mod literal;
mod registry;
mod session;
mod views;

pub use answer::Answer;

use crate::error::{Error, Result};
use crate::guard;
use crate::limits::Limits;
use crate::metrics::{Course, Metrics};
use crate::snapshot::{Snapshot, Source};
use answer::{EndOnDrop, Running};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use deadline::Deadline;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Stack of a thread that plans and runs queries. The deepest statement that is allowed needs less than 16 MB
/// (tests hold it); memory of a stack is only taken when it is used.
const STACK_BYTES: usize = 64 << 20;

/// Batches that wait for whoever reads the answer.
const BATCHES_AHEAD: usize = 2;

/// Answers questions from the newest snapshot of a store.
#[derive(Debug)]
pub struct Engine {
    source: Arc<dyn Source>,
    limits: Limits,
    metrics: Metrics,
    slots: Arc<Semaphore>,
    /// `None` once dropped.
    threads: Option<Runtime>,
}

impl Engine {
    /// An engine over `source`.
    ///
    /// # Errors
    /// When its threads cannot be started.
    pub fn new(source: Arc<dyn Source>, limits: Limits, metrics: Metrics) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = tokio::runtime::Builder::new_multi_thread()
            .thread_name("rxtrail-query")
            .thread_stack_size(STACK_BYTES)
            .worker_threads(cores)
            .enable_all()
            .build()?;
        let slots = Arc::new(Semaphore::new(limits.concurrent));
        Ok(Self { source, limits, metrics, slots, threads: Some(threads) })
    }

    /// What a question may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.source.newest()
    }

    /// Answers one statement from the newest snapshot.
    ///
    /// # Errors
    /// Every [`Error`]; what happens after the first row comes with the rows.
    pub async fn ask(&self, sql: &str) -> Result<Answer> {
        self.ask_of(self.source.newest(), sql).await
    }

    /// Answers one statement from `snapshot`.
    ///
    /// # Errors
    /// As [`Engine::ask`].
    pub async fn ask_of(&self, snapshot: Arc<dyn Snapshot>, sql: &str) -> Result<Answer> {
        let mut course = Course::begin(&self.metrics);
        match self.begin(snapshot, sql).await {
            Ok((running, deadline)) => Ok(Answer::new(running, &self.limits, deadline, course)),
            Err(error) => {
                course.ended(error.code());
                Err(error)
            }
        }
    }

    /// Plans the statement and has it run.
    async fn begin(&self, snapshot: Arc<dyn Snapshot>, sql: &str) -> Result<(Running, tokio::time::Instant)> {
        let slot = self.wait_for_slot().await?;
        let deadline =
            Deadline { at: Instant::now() + self.limits.deadline, secs: self.limits.deadline.as_secs() };
        let (plan_sender, planned) = oneshot::channel();
        let (batch_sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let name = snapshot.name();
        let question = Question { sql: sql.to_owned(), snapshot, limits: self.limits.clone(), deadline };
        let threads = self.threads.as_ref().ok_or(Error::Closed)?;
        let query = EndOnDrop(threads.spawn(run(question, plan_sender, batch_sender, slot)));
        let at = tokio::time::Instant::from_std(deadline.at);
        let schema = match tokio::time::timeout_at(at, planned).await {
            Err(_) => Err(Error::Deadline { secs: deadline.secs }),
            Ok(Err(_)) => Err(Error::Closed),
            Ok(Ok(planned)) => planned,
        }?;
        Ok((Running { snapshot: name, schema, batches, query }, at))
    }

    async fn wait_for_slot(&self) -> Result<OwnedSemaphorePermit> {
        let wait = self.limits.queue_wait;
        match tokio::time::timeout(wait, self.slots.clone().acquire_owned()).await {
            Ok(slot) => slot.map_err(|_| Error::Closed),
            Err(_) => Err(Error::Busy { running: self.limits.concurrent, waited_secs: wait.as_secs() }),
        }
    }
}

impl Drop for Engine {
    /// A runtime may not wait for its threads inside another runtime.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// What one query needs to run.
struct Question {
    sql: String,
    snapshot: Arc<dyn Snapshot>,
    limits: Limits,
    deadline: Deadline,
}

/// Runs one query to its end. The slot is free again when the query has ended, not when nobody waits for it any more.
async fn run(
    question: Question,
    planned: oneshot::Sender<Result<SchemaRef>>,
    batches: mpsc::Sender<Result<RecordBatch>>,
    slot: OwnedSemaphorePermit,
) {
    let (plan, context) = match plan(question).await {
        Ok(plan) => plan,
        Err(error) => {
            // Nobody waits for the error: nothing to tell.
            planned.send(Err(error)).ok();
            return;
        }
    };
    let stream = execute_stream(plan, context);
    match stream {
        Err(error) => drop(planned.send(Err(error.into()))),
        Ok(mut stream) => {
            if planned.send(Ok(stream.schema())).is_err() {
                return;
            }
            while let Some(batch) = stream.next().await {
                let failed = batch.is_err();
                if batches.send(batch.map_err(Error::from)).await.is_err() || failed {
                    return;
                }
            }
        }
    }
    drop(slot);
}

async fn plan(question: Question) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
    let Question { sql, snapshot, limits, deadline } = question;
    let statement = guard::parse(&sql)?;
    let state = session::session(snapshot, &limits, deadline)?;
    let logical = state.statement_to_plan(statement).await?;
    guard::plan::check(&logical)?;
    let physical = state.create_physical_plan(&logical).await?;
    let mut context = TaskContext::from(&state);
    if deadline::must_not_spill(&physical) {
        context = context.with_runtime(session::without_spilling(state.runtime_env())?);
    }
    Ok((physical, Arc::new(context)))
}

#[cfg(test)]
mod tests;
