//! The one door: every question to the tables goes through [`Engine::ask`], or by its name through
//! [`Engine::ask_named`].
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
use crate::named;
use crate::snapshot::{Snapshot, Source};
use answer::{EndOnDrop, Running};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{ParamValues, ScalarValue};
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
        let asked = Asked { sql: sql.to_owned(), values: None, rows: self.limits.rows };
        self.answer(snapshot, Ok(asked)).await
    }

    /// Answers a named question from the newest snapshot.
    ///
    /// # Errors
    /// [`Error::NoSuchQuery`], [`Error::Parameter`], and those of [`Engine::ask`].
    pub async fn ask_named(&self, name: &str, arguments: &[(String, String)]) -> Result<Answer> {
        let asked = named::find(name).and_then(|query| query.bind(arguments, self.limits.rows));
        self.answer(self.source.newest(), asked).await
    }

    async fn answer(&self, snapshot: Arc<dyn Snapshot>, asked: Result<Asked>) -> Result<Answer> {
        let mut course = Course::begin(&self.metrics);
        let begun = match asked {
            Ok(asked) => {
                let limits = Limits { rows: asked.rows, ..self.limits.clone() };
                self.begin(snapshot, asked).await.map(|(running, deadline)| (running, limits, deadline))
            }
            Err(error) => Err(error),
        };
        match begun {
            Ok((running, limits, deadline)) => Ok(Answer::new(running, &limits, deadline, course)),
            Err(error) => {
                course.ended(error.code());
                Err(error)
            }
        }
    }

    /// Plans the statement and has it run.
    async fn begin(
        &self,
        snapshot: Arc<dyn Snapshot>,
        asked: Asked,
    ) -> Result<(Running, tokio::time::Instant)> {
        let slot = self.wait_for_slot().await?;
        let deadline =
            Deadline { at: Instant::now() + self.limits.deadline, secs: self.limits.deadline.as_secs() };
        let (plan_sender, planned) = oneshot::channel();
        let (batch_sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let (end_sender, ended) = oneshot::channel();
        let told = Told { batches: batch_sender, ended: end_sender };
        let name = snapshot.name();
        let question = Question { asked, snapshot, limits: self.limits.clone(), deadline };
        let threads = self.threads.as_ref().ok_or(Error::Closed)?;
        let query = EndOnDrop(threads.spawn(run(question, plan_sender, told, slot)));
        let at = tokio::time::Instant::from_std(deadline.at);
        let schema = match tokio::time::timeout_at(at, planned).await {
            Err(_) => Err(Error::Deadline { secs: deadline.secs }),
            Ok(Err(_)) => Err(Error::Closed),
            Ok(Ok(planned)) => planned,
        }?;
        Ok((Running { snapshot: name, schema, batches, ended, query }, at))
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

/// A statement, and how it is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    /// The statement.
    pub(crate) sql: String,
    /// Values of its `$name`s, when it has any.
    pub(crate) values: Option<Vec<(String, ScalarValue)>>,
    /// Rows that the answer may have; what is beyond is cut off.
    pub(crate) rows: u64,
}

/// What one query needs to run.
struct Question {
    asked: Asked,
    snapshot: Arc<dyn Snapshot>,
    limits: Limits,
    deadline: Deadline,
}

/// Where the rows of one query go.
struct Told {
    batches: mpsc::Sender<Result<RecordBatch>>,
    /// Told after the last row: rows that merely stop coming are no whole answer.
    ended: oneshot::Sender<()>,
}

/// Runs one query to its end. The slot is free again when the query has ended, not when nobody waits for it any more.
async fn run(
    question: Question,
    planned: oneshot::Sender<Result<SchemaRef>>,
    told: Told,
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
                if told.batches.send(batch.map_err(Error::from)).await.is_err() || failed {
                    return;
                }
            }
            // Nobody waits for the end: nothing to tell.
            told.ended.send(()).ok();
        }
    }
    drop(slot);
}

async fn plan(question: Question) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>)> {
    let Question { asked, snapshot, limits, deadline } = question;
    let statement = guard::parse(&asked.sql)?;
    let state = session::session(snapshot, &limits, deadline)?;
    let mut logical = state.statement_to_plan(statement).await?;
    if let Some(values) = asked.values {
        logical = logical.with_param_values(ParamValues::from(values))?;
    }
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
